// <readme>
using Rpat.Engine;
using Rpat.Engine.Devices;
using Rpat.Engine.Random;
using Rpat.Engine.Tensors;
using Rpat.Models;
using Rpat.Nn;
using Rpat.Nn.Optim;
using Rpat.Robust.Attacks;
using Rpat.Robust.Methods;
using Rpat.Robust.Modifiers;
using Rpat.Robust.Training;
// </readme>

namespace Rpat.Samples.Snippets;

/// <summary>The program that the README shows: the lines between the marks, in order.</summary>
public static class ReadmeProgram
{
    /// <summary>Attacks eight images and trains on them.</summary>
    public static void Run()
    {
        // <readme>

        using Device device = Device.Cpu();
        Classifier net = new PreActResNet(device, new() { Input = new Shape(1, 3, 32, 32), Classes = 10, Width = 16 }, seed: 1);
        float[] images = [.. Enumerable.Repeat(0.5f, 8 * 3 * 32 * 32)]; // eight images in [0,1], N×C×H×W
        int[] classes = [0, 1, 2, 3, 4, 5, 6, 7];
        long[] samples = [0, 1, 2, 3, 4, 5, 6, 7]; // random numbers belong to an image, not to its place in a batch

        var pgd = new Pgd(net, new PgdOptions { Eps = 8 / 255f, StepSize = 2 / 255f, Steps = 10 });
        var key = new RandomKey(Seed: 1, Purpose.AttackStart, Epoch: 0, Sample: 0, Restart: 0, Iteration: 0);
        Tensor x = Tensor.From(device, new Shape(8, 3, 32, 32), images);
        Tensor adversarial = pgd.Perturb(x, Labels.From(device, classes), key, samples);
        Console.WriteLine($"moved by {Norm.Linf.Distances(images, adversarial.ToArray(), 8).Max() * 255:F1}/255");

        var step = new TrainingStep(net, new PgdAt(pgd.Options).With(new RobustPerception()), new Sgd(net.Parameters, 0.9f, 5e-4f),
            seed: 1);
        step.Run(images, classes, samples, epoch: 1, rate: 0.1f);
        Console.WriteLine($"loss {step.Loss.Read():F4}");
        // </readme>
    }
}
