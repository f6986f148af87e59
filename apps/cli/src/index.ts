export type { Io, Sink } from './io.ts';
export { main } from './main.ts';
