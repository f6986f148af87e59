export { type RunFolder, runFolder } from './run-folder.ts';
