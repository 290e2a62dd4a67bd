import { standard } from "../Augmentation.ts"
import type { Recipe } from "../Recipe.ts"

/**
 * ViT-B/16 that was trained on ImageNet-21k, fine-tuned on images that are enlarged to 384×384 pixels. The weights are
 * timm's `vit_base_patch16_224.augreg_in21k`: `model.safetensors` of `timm/vit_base_patch16_224.augreg_in21k` on the
 * Hugging Face hub, 410 MB. Under the name that the experiment has for them they are found in the current folder.
 *
 *   shakedrop train --recipe vit-b16-finetune --data-dir DIR --set train.initialWeights=FILE
 *
 * The rate is that published for CIFAR-10; for CIFAR-100 add `--dataset cifar100 --set train.learningRate=0.03`.
 *
 * Other than there, images are cropped and mirrored before they are enlarged, where there boxes of 5 to 100 % of the
 * image are; they are normalised with the data set's mean and deviation, where there the range is ±1; the momentum is
 * Nesterov's; and the best of the epochs counts.
 */
export const vitB16Finetune: Recipe = {
  summary: "ViT-B/16 of ImageNet-21k, fine-tuned at 384×384 pixels (needs its weights)",
  source:
    'Dosovitskiy et al., "An Image is Worth 16x16 Words", ICLR 2021 (arXiv:2010.11929); batch, parts, rate, warm-up, clipping, steps and held-out images of the configuration published as google-research/vision_transformer; weights of Steiner et al. 2021 (arXiv:2106.10270): timm/vit_base_patch16_224.augreg_in21k on the Hugging Face hub',
  expected: "99.0 % on CIFAR-10, 91.7 % on CIFAR-100 (the first paper's table 5, with its own weights)",
  experiment: {
    name: "vit-b16-finetune",
    data: { dataset: "cifar10", validation: 1000 },
    augment: standard,
    model: { _tag: "VisionTransformer", patchSize: 16, embedDim: 768, depth: 12, numHeads: 12, resize: 384 },
    train: {
      // 10,000 steps.
      epochs: 105,
      initialWeights: "vit_base_patch16_224.augreg_in21k.safetensors",
      batchSize: 512,
      gradientAccumulationSteps: 8,
      learningRate: 0.01,
      schedule: { _tag: "Cosine", warmupEpochs: 5 },
      optimizer: { _tag: "Sgd", weightDecay: 0 },
      clipGradNorm: 1,
      evaluateEvery: 5
    }
  }
}
