import type { Job } from './jobs.ts';
import { type Measured, measure } from './measure.ts';

export default (job: Job): Promise<Measured> => measure(job);
