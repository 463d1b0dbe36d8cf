"""Images drawn from one normal distribution per class: python3 generated-images.py SET.npz OUT.npz COUNT"""
import sys
import numpy as np
source, rng = np.load(sys.argv[1]), np.random.default_rng(0)
x, y = source["images"], source["labels"]
count, images, labels = int(sys.argv[3]), [], []
for k in np.unique(y):
    own = x[y == k].reshape((y == k).sum(), -1) / 255.0
    mean, deviations = own.mean(0), own - own.mean(0)
    weights = rng.standard_normal((count // len(np.unique(y)), len(own))) / np.sqrt(len(own) - 1)
    images.append(np.clip(mean + weights @ deviations, 0, 1))
    labels.append(np.full(len(weights), k))
np.savez(sys.argv[2], image=np.round(255 * np.concatenate(images)).astype(np.uint8).reshape(-1, *x.shape[1:]), label=np.concatenate(labels))
