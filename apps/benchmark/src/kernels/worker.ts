import { type Job, measure, type Trial } from './measure.ts';

export default (job: Job): Promise<Trial[]> => measure(job);
