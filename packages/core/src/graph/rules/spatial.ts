import { spread } from '../labels.ts';
import { type LayerRule, registerLayer } from '../rule.ts';
import { channelAxis } from './shared.ts';

/** Moves or summarises values within each channel: the channels stay what they are. */
const withinChannels: LayerRule = {
  trace(call) {
    const { inputs, outputShapes, along } = call;
    const [shape] = outputShapes;
    const channels = along(inputs[0]!, channelAxis(call));
    const axis = shape!.length === 1 ? 0 : channelAxis(call);
    return { outputs: [spread(channels, shape!, axis)] };
  },
};

for (const className of [
  ...[
    'MaxPooling1D',
    'MaxPooling2D',
    'MaxPooling3D',
    'AveragePooling1D',
    'AveragePooling2D',
    'AveragePooling3D',
  ],
  ...['GlobalMaxPooling1D', 'GlobalMaxPooling2D', 'GlobalAveragePooling1D', 'GlobalAveragePooling2D'],
  ...['ZeroPadding2D', 'UpSampling2D', 'Cropping2D', 'CenterCrop'],
]) {
  registerLayer(className, withinChannels);
}
