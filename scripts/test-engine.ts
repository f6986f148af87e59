import { type EngineName, useEngine } from '@espalier/engine';

// Tests that name no engine run on this one: they import the cpu backend, and another takes over.
await useEngine(process.env.ESPALIER_TEST_ENGINE as EngineName);
