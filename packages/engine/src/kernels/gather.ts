import * as tf from '@tensorflow/tfjs-core';
import { addressOf, loopsOf } from '../loops/loops.ts';
import { type WasmKernel, wasmKernel } from './kernel.ts';

/**
 * Shipped element by element, wrong for batchDims > 0, and recording its output with rank 4, which a fused
 * kernel then refuses as a bias. `model.fit` gathers every batch.
 */
export const gather: WasmKernel = wasmKernel<'x' | 'indices', tf.GatherV2Attrs>(
  tf.GatherV2,
  ({ inputs: { x, indices }, attrs: { axis, batchDims }, backend, shipped }) => {
    if (x.dtype === 'string') return shipped();
    const at = tf.util.parseAxisParam(axis, x.shape)[0]!;
    const info = tf.backend_util.segment_util.collectGatherOpShapeInfo(
      x as tf.Tensor,
      indices as tf.Tensor,
      at,
      batchDims,
    );
    const { batchSize, outerSize, dimSize, sliceSize, outputShape } = info;
    const out = backend.makeOutput(outputShape, x.dtype);
    const refuse = (id: number): never => {
      backend.disposeData(out.dataId);
      throw new Error(`[engine] gather: index ${id} is not in [0, ${dimSize - 1}]; check the indices`);
    };
    const loops = loopsOf(backend);
    if (loops && batchSize === 1 && outerSize === 1) {
      const [source, which, target] = [x, indices, out].map((info) => addressOf(backend, info));
      const bytes = sliceSize * tf.util.bytesPerElement(x.dtype);
      const count = tf.util.sizeFromShape(indices.shape);
      const bad = loops.gather(source!, which!, count, bytes, dimSize, target!);
      return bad < 0 ? out : refuse(backend.typedArrayFromHeap(indices)[bad]!);
    }
    const [to, from] = [backend.typedArrayFromHeap(out), backend.typedArrayFromHeap(x)];
    const ids = backend.typedArrayFromHeap(indices);
    const perBatch = ids.length / batchSize;
    let offset = 0;
    for (let b = 0; b < batchSize; b++) {
      for (let o = 0; o < outerSize; o++) {
        for (let i = 0; i < perBatch; i++, offset += sliceSize) {
          const id = ids[b * perBatch + i]!;
          if (!(id >= 0 && id < dimSize)) refuse(id);
          const source = ((b * outerSize + o) * dimSize + id) * sliceSize;
          if (sliceSize < 32) for (let k = 0; k < sliceSize; k++) to[offset + k] = from[source + k]!;
          else to.set(from.subarray(source, source + sliceSize), offset);
        }
      }
    }
    return out;
  },
);
