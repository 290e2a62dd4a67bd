"""The networks of bench/harness/rows.mjs in TensorFlow. A layer is a function of images and whether it trains."""
import tensorflow as tf


def sequential(*layers):
    def apply(x, training):
        for layer in layers:
            x = layer(x, training)
        return x

    return apply


def plain(f):
    return lambda x, training: f(x)


relu = plain(tf.nn.relu)
gelu = plain(lambda x: tf.nn.gelu(x, approximate=False))
max_pool = plain(lambda x: tf.nn.max_pool2d(x, 2, 2, "VALID"))


class Builder:
    """Makes layers, and keeps the variables that are trained."""

    def __init__(self):
        self.trained = []

    def variable(self, shape, start, trained=True):
        variable = tf.Variable(start(shape), trainable=trained)
        if trained:
            self.trained.append(variable)
        return variable

    def conv(self, inputs, out, kernel=3, stride=1):
        start = tf.keras.initializers.HeNormal()
        weight = self.variable([kernel, kernel, inputs, out], start)
        return plain(lambda x: tf.nn.conv2d(x, weight, stride, "SAME"))

    def norm(self, channels, momentum=0.1, epsilon=1e-5, trained_scale=True):
        scale, offset = self.variable([channels], tf.ones, trained_scale), self.variable([channels], tf.zeros)
        mean, variance = (self.variable([channels], start, False) for start in (tf.zeros, tf.ones))

        def apply(x, training):
            y, new_mean, new_variance, *_ = tf.raw_ops.FusedBatchNormV3(
                x=x,
                scale=scale,
                offset=offset,
                mean=mean,
                variance=variance,
                epsilon=epsilon,
                exponential_avg_factor=momentum if training else 1.0,
                is_training=training,
            )
            if training:
                mean.assign(new_mean)
                variance.assign(new_variance)
            return y

        return apply

    def linear(self, inputs, out, bias=True):
        weight = self.variable([inputs, out], tf.keras.initializers.GlorotUniform())
        if not bias:
            return plain(lambda x: x @ weight)
        offset = self.variable([out], tf.zeros)
        return plain(lambda x: x @ weight + offset)

    def classifier(self, features, channels):
        pool = plain(lambda x: tf.reduce_mean(x, [1, 2]))
        return sequential(*features, pool, self.linear(channels, 10))


def residual(branch, stride, missing):
    def apply(x, training):
        identity = tf.nn.avg_pool2d(x, 2, 2, "VALID") if stride == 2 else x
        return tf.pad(identity, [[0, 0], [0, 0], [0, 0], [0, missing]]) + branch(x, training)

    return apply


def basic(b, inputs, width, stride):
    first = [b.norm(inputs), b.conv(inputs, width, 3, stride), b.norm(width), relu]
    branch = sequential(*first, b.conv(width, width), b.norm(width))
    return residual(branch, stride, width - inputs), width


def bottleneck(b, inputs, width, stride):
    out = 4 * width
    first = [b.norm(inputs), b.conv(inputs, width, 1), b.norm(width), relu]
    second = [b.conv(width, width, 3, stride), b.norm(width), relu]
    branch = sequential(*first, *second, b.conv(width, out, 1), b.norm(out))
    return residual(branch, stride, out - inputs), out


def pyramidnet(b, block, depth, alpha):
    convolutions, make = {"basic": (2, basic), "bottleneck": (3, bottleneck)}[block]
    per_group = (depth - 2) // (3 * convolutions)
    total, channels = 3 * per_group, 16
    layers = [b.conv(3, 16), b.norm(16)]
    for i in range(total):
        width = round(16 + alpha * (i + 1) / total)
        layer, channels = make(b, channels, width, 2 if i in (per_group, 2 * per_group) else 1)
        layers.append(layer)
    return b.classifier([*layers, b.norm(channels), relu], channels)


def wide(b, inputs, out, stride):
    activation = sequential(b.norm(inputs), relu)
    branch = sequential(b.conv(inputs, out, 3, stride), b.norm(out), relu, b.conv(out, out))
    shortcut = b.conv(inputs, out, 1, stride) if inputs != out else None

    def apply(x, training):
        activated = activation(x, training)
        return (x if shortcut is None else shortcut(activated, training)) + branch(activated, training)

    return apply


def wide_resnet(b, depth, width):
    per_group, channels, layers = (depth - 4) // 6, 16, [b.conv(3, 16)]
    for i in range(3 * per_group):
        out = 16 * width * 2 ** (i // per_group)
        layers.append(wide(b, channels, out, 2 if i in (per_group, 2 * per_group) else 1))
        channels = out
    return b.classifier([*layers, b.norm(channels), relu], channels)


def simple_cnn(b, width):
    layers, channels = [], 3
    for stage in range(3):
        for _ in range(2):
            out = width * 2**stage
            layers += [b.conv(channels, out), b.norm(out), relu]
            channels = out
        if stage < 2:
            layers.append(max_pool)
    return b.classifier(layers, channels)


def airbench(b, widths, convolutions, scale):
    assert convolutions == 2
    whiten = b.variable([2, 2, 3, 24], tf.keras.initializers.HeNormal(), False)
    bias = b.variable([24], tf.zeros)
    layers = [plain(lambda x: tf.nn.conv2d(x, whiten, 1, "VALID") + bias), gelu]
    channels = 24

    def norm(out):
        return b.norm(out, 0.4, 1e-12, trained_scale=False)

    for out in widths:
        layers += [b.conv(channels, out), max_pool, norm(out), gelu, b.conv(out, out), norm(out), gelu]
        channels = out
    pool = plain(lambda x: tf.reduce_max(x, [1, 2]))
    return sequential(*layers, pool, b.linear(channels, 10, bias=False), plain(lambda x: x * scale))


FAMILIES = {"PyramidNet": pyramidnet, "WideResNet": wide_resnet, "SimpleCnn": simple_cnn, "Airbench": airbench}


def build(model):
    """The network of a configuration as `makeNetwork` takes it, and the variables that are trained."""
    options = {key: value for key, value in model.items() if key != "_tag"}
    builder = Builder()
    return FAMILIES[model["_tag"]](builder, **options), builder.trained
