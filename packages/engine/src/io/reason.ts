/** What a failed file operation means for the user, and what to do. `folder` is where it happened. */
export function reasonOf(error: unknown, folder: string): string {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return `the disk is full; free some space under ${folder} or choose another folder`;
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return `${folder} is not writable; change its permissions or choose another folder`;
    case 'ENOTDIR':
    case 'EEXIST':
      return 'a file stands where a folder is needed; choose another folder';
    default:
      return error instanceof Error ? error.message : String(error);
  }
}
