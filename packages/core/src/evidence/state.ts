import * as tf from '@tensorflow/tfjs-core';

/** Runs in a tidy; what it answers lives until it is disposed, `held` tensors as they are. */
export function kept(
  make: () => tf.TensorContainer,
  held: ReadonlySet<tf.Tensor> = new Set(),
): tf.TensorContainer {
  return tf.tidy(() => {
    const own = (tensor: tf.Tensor): boolean =>
      !tensor.kept && tensor.scopeId === tf.engine().state.activeScope.id;
    // what was not made here is cloned: a state may hold on to a tensor that core will dispose
    return mapTensors(make(), (tensor) =>
      held.has(tensor) ? tensor : tf.keep(own(tensor) ? tensor : tensor.clone()),
    );
  });
}

/** All tensors that a state holds. */
export function tensorsIn(state: tf.TensorContainer): Set<tf.Tensor> {
  const tensors = new Set<tf.Tensor>();
  mapTensors(state, (tensor) => {
    tensors.add(tensor);
    return tensor;
  });
  return tensors;
}

function mapTensors(
  container: tf.TensorContainer,
  map: (tensor: tf.Tensor) => tf.Tensor,
): tf.TensorContainer {
  if (container instanceof tf.Tensor) return map(container);
  if (Array.isArray(container)) return container.map((item) => mapTensors(item, map));
  if (container === null || typeof container !== 'object' || ArrayBuffer.isView(container)) return container;
  const entries = Object.entries(container as Record<string, tf.TensorContainer>);
  return Object.fromEntries(entries.map(([key, item]) => [key, mapTensors(item, map)]));
}
