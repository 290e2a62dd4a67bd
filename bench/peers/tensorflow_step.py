"""Steps in TensorFlow, in turns: `python bench/peers/tensorflow_step.py SPEC`, SPEC being JSON."""
import json
import sys

import tensorflow as tf

import tensorflow_models
import workload

spec = json.loads(sys.argv[1])
tf.random.set_seed(1)
net, trained = tensorflow_models.build(spec["model"])
momenta = [tf.Variable(tf.zeros_like(variable)) for variable in trained]
images = tf.constant(workload.pixels(spec["batch"], spec["side"]))
labels = tf.constant(workload.labels(spec["batch"]))


def normalised(pixels):
    return (tf.cast(pixels, tf.float32) / 255 - workload.MEAN) / workload.STD


@tf.function
def train(pixels, labels):
    with tf.GradientTape() as tape:
        logits = net(normalised(pixels), True)
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits))
    gradients, _ = tf.clip_by_global_norm(tape.gradient(loss, trained), workload.CLIP_NORM)
    for variable, momentum, gradient in zip(trained, momenta, gradients):
        tf.raw_ops.ResourceApplyMomentum(
            var=variable.handle,
            accum=momentum.handle,
            lr=workload.LEARNING_RATE,
            grad=gradient + workload.WEIGHT_DECAY * variable,
            momentum=workload.MOMENTUM,
            use_nesterov=True,
        )
    return loss


@tf.function
def evaluate(pixels):
    return net(normalised(pixels), False)


def step():
    result = train(images, labels) if spec["mode"] == "train" else evaluate(images)
    return result.numpy()


workload.take_turns(step, spec, parameters=sum(int(tf.size(variable)) for variable in trained))
