import { Bench, type Job } from './measure.ts';

const bench = new Bench();

export default (job: Job): Promise<number> => bench.run(job);
