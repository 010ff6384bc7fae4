declare module 'write-file-atomic' {
  /** Writes beside the file and renames, so that a reader sees the old content or the new one, never a part. */
  export default function writeFileAtomic(
    path: string,
    data: string | Uint8Array,
    options?: { readonly mode?: number },
  ): Promise<void>;
}
