using Rpat.Engine;
using Rpat.Engine.Autograd;
using Rpat.Engine.Devices;
using Rpat.Engine.Ops;
using Rpat.Engine.Ops.Losses;
using Rpat.Engine.Tensors;
using Rpat.Models;
using Rpat.Nn;
using Rpat.Nn.Optim;

namespace Rpat.Samples.Snippets;

/// <summary>The training step of docs/coming-from-pytorch.md.</summary>
public static class PyTorchStep
{
    /// <summary>Trains on a batch of grey images and returns the loss.</summary>
    public static double Run()
    {
        using Device device = Device.Cpu(1);
        Classifier net = new PreActResNet(device, new() { Input = new Shape(1, 3, 8, 8), Classes = 3, Width = 4 }, seed: 1);
        int count = 4;
        float[] images = [.. Enumerable.Repeat(0.5f, count * 3 * 8 * 8)];
        int[] classes = [0, 1, 2, 0];

        // recorded once
        var tape = new Tape(device, Gradients.Parameters);
        Tensor x = Tensor.Create(device, net.InputShape.WithBatch(count));
        var y = new Labels(device, count);
        Loss loss = tape.CrossEntropy(net.Forward(tape, x, BnMode.Train), y);
        var sgd = new Sgd(net.Parameters, momentum: 0.9f, weightDecay: 5e-4f);

        // for each batch
        x.Upload(images);
        y.Upload(classes);
        tape.Run();
        sgd.Step(rate: 0.1f);

        return (float)loss.Read();
    }
}
