"""Normalisation: of a batch, by one kernel where Keras has a dozen; of features, by one number."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers

TENSORFLOW = keras.backend.backend() == "tensorflow"


@keras.saving.register_keras_serializable(package="comparisons")
class BatchNormalization(layers.BatchNormalization):
    """Keras's own; but on float32 images [n, h, w, c] TensorFlow trains it by its fused kernel.

    The same numbers: a test compares outputs, gradients and statistics. Mixed precision is left to
    Keras: there XLA compiles the steps, and fuses them itself.
    """

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """See Keras."""
        plain = self.axis in (-1, 3) and len(inputs.shape) == 4 and mask is None
        renorm = getattr(self, "renorm", False)  # Keras 3.13 does not know it
        trains = training and self.trainable and not (self.synchronized or renorm)
        if not (TENSORFLOW and plain and trains and self.compute_dtype == "float32"):
            return super().call(inputs, training=training, mask=mask)
        import tensorflow as tf

        channels = inputs.shape[-1]
        outputs, mean, variance = tf.compat.v1.nn.fused_batch_norm(
            inputs,
            tf.ones(channels) if self.gamma is None else self.gamma,
            tf.zeros(channels) if self.beta is None else self.beta,
            epsilon=self.epsilon,
        )
        # The kernel's variance is that of a sample of n values, Keras's that of these values.
        count = tf.cast(tf.size(inputs) // channels, tf.float32)
        variance *= (count - 1) / count
        for moving, now in ((self.moving_mean, mean), (self.moving_variance, variance)):
            moving.assign(moving * self.momentum + now * (1 - self.momentum))
        return outputs


def fused(network: keras.Model, momentum: float) -> keras.Model:
    """A copy of an untrained network that normalises as above, with this momentum."""

    def copy(layer: keras.Layer) -> keras.Layer:
        config = layer.get_config()
        if type(layer) is layers.BatchNormalization:
            return BatchNormalization.from_config(config | {"momentum": momentum})
        return layer.__class__.from_config(config)

    return keras.models.clone_model(network, clone_function=copy)


@keras.saving.register_keras_serializable(package="comparisons")
class FeatureScale(layers.Layer):
    """Divides features by one number, their root mean square over training images; 1 until set.

    Bases differ a hundredfold in the size of their features, and an optimizer of a head knows one
    rate. A number for each feature was worse: where a feature hardly varies it makes noise large.
    """

    def build(self, input_shape: Any) -> None:
        """See Keras."""
        self.size = self.add_weight(shape=(), initializer="ones", trainable=False, name="size")

    def call(self, inputs: Any) -> Any:
        """See Keras."""
        return inputs / keras.ops.cast(self.size, inputs.dtype)

    def fit(self, features: np.ndarray) -> None:
        """Take the size of features [n, d]; what is all zero stays as it is."""
        size = float(np.sqrt(np.mean(np.square(features, dtype=np.float64))))
        self.size.assign(size if np.isfinite(size) and size > 0 else 1.0)
