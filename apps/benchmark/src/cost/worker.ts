import { type Answer, Bench, type Job } from './measure.ts';

const bench = new Bench();

export default (job: Job): Promise<Answer> => bench.run(job);
