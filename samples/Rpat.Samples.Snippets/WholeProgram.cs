// <readme>
using Rpat.Engine;
using Rpat.Engine.Autograd;
using Rpat.Engine.Devices;
using Rpat.Engine.Ops;
using Rpat.Engine.Ops.Losses;
using Rpat.Engine.Tensors;
using Rpat.Formats.Arrays;
using Rpat.Formats.Weights;
using Rpat.Nn;
using Rpat.Nn.Optim;
using Rpat.Robust.Attacks;
using Rpat.Robust.Evaluation;
// </readme>

namespace Rpat.Samples.Snippets;

/// <summary>The program of docs/using-the-libraries.md: the lines between the marks, in order.</summary>
public static class WholeProgram
{
    /// <summary>Builds a network, trains, saves, loads, predicts and attacks.</summary>
    public static void Run()
    {
        // <readme>

        // data: 64 grey images of 8×8, N×C×H×W in [0,1], brighter on the left (class 0) or on the right (class 1)
        const int count = 64, side = 8;
        var random = new Random(1);
        int[] labels = [.. Enumerable.Range(0, count).Select(i => i % 2)];
        float[] images = [.. labels.SelectMany(label => Enumerable.Range(0, side * side).Select(
            pixel => 0.4f * random.NextSingle() + (pixel % side / (side / 2) == label ? 0.5f : 0.3f)))];

        // build
        using Device device = Device.Cpu();
        Network Build(ulong seed) => new(device, new Shape(1, 1, side, side), classes: 2, new Sequential(
            new Conv2d(1, 4, kernel: 3, padding: 1), new BatchNorm(4), Activation.Relu, Pool.Max2d(2),
            Pool.Flatten(), new Linear(4 * 4 * 4, 2)), seed);
        Network net = Build(seed: 1);

        // train: a tape is recorded once and run for each batch
        var tape = new Tape(device, Gradients.Parameters);
        Tensor x = Tensor.Create(device, net.InputShape.WithBatch(count));
        var y = new Labels(device, count);
        Loss loss = tape.CrossEntropy(net.Forward(tape, x, BnMode.Train), y);
        var adam = new Adam(net.Parameters);
        for (int step = 0; step < 30; step++)
        {
            x.Upload(images);
            y.Upload(labels);
            tape.Run();
            adam.Step(rate: 0.01f);
        }
        Console.WriteLine($"loss {loss.Read():F3}");

        // save, and load into another network of the same layers
        string file = Path.GetTempFileName();
        Safetensors.Write(file, net.State());
        Network loaded = Build(seed: 2);
        using (WeightFile weights = WeightFile.Open(file)) loaded.Load(weights.State());
        File.Delete(file);

        // predict
        int[] predicted = loaded.Predict(images);
        Console.WriteLine($"{predicted.Zip(labels).Count(pair => pair.First == pair.Second)} of {count} right");

        // attack: how many images stay right, with a 95 % interval
        double[] radii = [2 / 255.0, 16 / 255.0];
        var sweep = EpsilonSweep.Run(loaded, "pgd20", Norm.Linf, images, labels, radii);
        for (int i = 0; i < radii.Length; i++)
        {
            var interval = WilsonInterval.Of(sweep.Robust(i), sweep.Images);
            Console.WriteLine($"eps {radii[i] * 255:F0}/255: {sweep.Accuracy(i):P0}, {interval.Low:P0} to {interval.High:P0}");
        }
        // </readme>
    }
}
