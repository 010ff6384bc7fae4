/** Stands in for a package that is asked for in development only. */
export default {};
