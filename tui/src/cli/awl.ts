console.log('awl');
