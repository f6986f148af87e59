import type { Command } from 'commander';
import { UsageError } from '../errors.ts';

/** What may be said anew when a run goes on. */
const forResume: readonly string[] = [
  ...['out', 'resume', 'engine', 'report', 'quantize', 'shardBytes', 'offline', 'json', 'debug'],
];

export const addResumeOption = (command: Command): Command =>
  command.option('--resume', 'go on with an interrupted run in --out, with its own options');

/** @throws UsageError if a command line that goes on with a run says what it says itself. */
export function checkResume(command: Command): void {
  const stranger = command.options.find((option) => {
    const name = option.attributeName();
    return command.getOptionValueSource(name) === 'cli' && !forResume.includes(name);
  });
  if (stranger)
    throw new UsageError(`--resume goes on with the run's own options: leave out ${stranger.long}`);
}
