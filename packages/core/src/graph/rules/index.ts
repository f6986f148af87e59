import './convolution.ts';
import './dense.ts';
import './input.ts';
import './merge.ts';
import './pointwise.ts';
import './reshape.ts';
import './spatial.ts';
