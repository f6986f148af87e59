import { type Job, type Measured, measure } from './measure.ts';

export default (job: Job): Promise<Measured> => measure(job);
