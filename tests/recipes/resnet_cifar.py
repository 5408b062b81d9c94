#!/usr/bin/env python3
"""Lesson 11's recipe in PyTorch: resnet_cifar.py DIR WIDTH BLOCKS EPOCHS [--bf16] [SEED...] trains on CIFAR-10's binary version in DIR
and prints each seed's test accuracy. ResNet-18 is width 64 with 2 blocks a stage. --bf16 is the lesson's --autocast bf16.

Batches of 64 in a shuffled order, random crops of 32 of pictures padded by 4 and mirror images, SGD at 0.05 with momentum 0.9 and
decay 5e-4, and a cosine over all steps.
"""
import argparse

import numpy
import torch
import torch.nn.functional as F
from torch import nn

BATCH, LR = 64, 0.05
MEAN, DEVIATION = (torch.tensor(x).view(1, 3, 1, 1) for x in ((0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)))


def conv(inputs, outputs, kernel, stride):
    return nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1, self.bn1 = conv(inputs, outputs, 3, stride), nn.BatchNorm2d(outputs)
        self.conv2, self.bn2 = conv(outputs, outputs, 3, 1), nn.BatchNorm2d(outputs)
        same = stride == 1 and inputs == outputs
        self.shortcut = nn.Sequential() if same else nn.Sequential(conv(inputs, outputs, 1, stride), nn.BatchNorm2d(outputs))

    def forward(self, x):
        return F.relu(self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))) + self.shortcut(x))


def resnet(width, blocks):
    layers, inputs = [conv(3, width, 3, 1), nn.BatchNorm2d(width), nn.ReLU()], width
    for stage in range(4):
        for i in range(blocks):
            layers.append(Block(inputs, width << stage, 2 if stage > 0 and i == 0 else 1))
            inputs = width << stage
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, 10))


def read(names):
    records = numpy.concatenate([numpy.fromfile(name, numpy.uint8).reshape(-1, 3073) for name in names])
    return torch.from_numpy(records[:, 1:].reshape(-1, 3, 32, 32) / numpy.float32(255)), torch.from_numpy(records[:, 0].astype(numpy.int64))


def drawn(x):
    """A random crop of each, and the mirror image of half."""
    padded, result = F.pad(x, (4, 4, 4, 4)), torch.empty_like(x)
    for i, (top, left, mirrored) in enumerate(zip(torch.randint(9, (len(x),)), torch.randint(9, (len(x),)), torch.rand(len(x)) < 0.5)):
        part = padded[i, :, top : top + 32, left : left + 32]
        result[i] = part.flip(2) if mirrored else part
    return (result - MEAN) / DEVIATION


def train(net, x, y, epochs, autocast):
    sgd = torch.optim.SGD(net.parameters(), lr=LR, momentum=0.9, weight_decay=5e-4)
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR(sgd, epochs * -(-len(x) // BATCH))
    for _ in range(epochs):
        for batch in torch.randperm(len(x)).split(BATCH):
            sgd.zero_grad()
            with autocast:
                loss = F.cross_entropy(net(drawn(x[batch]).to(memory_format=torch.channels_last)), y[batch])
            loss.backward()
            sgd.step()
            cosine.step()
    return net.eval()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    for name in ("width", "blocks", "epochs"):
        parser.add_argument(name, type=int)
    parser.add_argument("seeds", type=int, nargs="*", default=[0])
    parser.add_argument("--bf16", action="store_true")
    o = parser.parse_intermixed_args()
    x, y = read([f"{o.folder}/data_batch_{i}.bin" for i in range(1, 6)])
    test_x, test_y = read([f"{o.folder}/test_batch.bin"])
    autocast = torch.autocast("cpu", torch.bfloat16, enabled=o.bf16)
    for seed in o.seeds:
        torch.manual_seed(seed)
        net = train(resnet(o.width, o.blocks).to(memory_format=torch.channels_last), x, y, o.epochs, autocast)
        with torch.no_grad(), autocast:
            right = sum((net((a - MEAN) / DEVIATION).argmax(1) == b).sum().item() for a, b in zip(test_x.split(500), test_y.split(500)))
        print(f"seed {seed}: test accuracy {100 * right / len(test_y):.2f} %", flush=True)


main()
