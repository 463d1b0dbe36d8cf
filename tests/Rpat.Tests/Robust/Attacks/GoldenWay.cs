using Rpat.Models;
using Rpat.Tests.Golden;

namespace Rpat.Tests.Robust.Attacks;

/// <summary>One of the nets of make_golden_attacks.py with its images, and what an attack told while it attacked them.</summary>
internal sealed class GoldenWay
{
    public static readonly GoldenArrays Arrays = new("attacks.npz");

    private static readonly Dictionary<string, (Shape Image, int[] Widths, Activation Activation, float Gain)> _nets = new()
    {
        ["attack-conv"] = (new Shape(1, 3, 10, 10), [10], Activation.Relu, 4),
        ["attack-tanh"] = (new Shape(1, 3, 8, 8), [20, 16, 10], Activation.Tanh, 2),
        ["attack-five"] = (new Shape(1, 1, 8, 8), [24, 5], Activation.Relu, 4),
        ["attack-three"] = (new Shape(1, 3, 5, 5), [12, 3], Activation.Relu, 4),
        ["attack-two"] = (new Shape(1, 1, 10, 10), [16, 12, 2], Activation.Relu, 4),
    };

    private readonly AttackRunner _runner;
    private readonly int _size;

    public GoldenWay(Device device, string name)
    {
        var (image, _, _, gain) = _nets[name];
        (Name, Shape, _size) = (name, image, image.SampleCount);
        Labels = Arrays.Integers($"{name}/labels");
        Images = new float[Labels.Length * _size];
        double[] colours = GoldenFill.Uniform($"{name}/colours", Labels.Length * image.C),
            noise = GoldenFill.Uniform($"{name}/images", Images.Length);
        for (int i = 0; i < Images.Length; i++) Images[i] = (float)(0.75 * colours[i / (image.H * image.W)] + 0.25 * noise[i]);
        _runner = new AttackRunner(Centred(name == "attack-conv" ? Convolutional(device, name, gain) : Dense(device, name)),
            imageShape: image);
    }

    public static IEnumerable<string> Names => _nets.Keys;

    public string Name { get; }

    public Shape Shape { get; }

    public float[] Images { get; }

    public int[] Labels { get; }

    /// <summary>The start of the golden runs: 2u − 1 scaled to the sphere around each image, and into the box.</summary>
    public Initialisation StartOf(Norm norm, double eps)
    {
        double[] t = Array.ConvertAll(GoldenFill.Uniform($"{Name}/start", Images.Length), u => 2 * u - 1);
        return (subject, _) =>
        {
            double[] own = t[((int)subject.Index * _size)..(((int)subject.Index + 1) * _size)];
            double length = norm == Norm.Linf ? own.Max(Math.Abs) : Math.Sqrt(own.Sum(v => v * v));
            return [.. own.Select((v, i) => (float)Math.Clamp(subject.Image[i] + eps * v / length, 0, 1))];
        };
    }

    /// <summary>Attacks all images; each quantity that the attack tells comes as one series an image.</summary>
    public (AttackOutcome[] Outcomes, Dictionary<string, Dictionary<int, double>[]> Told) Attack(Attack attack)
    {
        Dictionary<string, Dictionary<int, double>[]> told = [];
        var outcomes = _runner.Perturb(attack, Images, Labels, prepare: s => s.Trace = p =>
        {
            if (!told.TryGetValue(p.Quantity, out var series))
                told[p.Quantity] = series = [.. Labels.Select(_ => new Dictionary<int, double>())];
            series[s.Index][p.Iteration] = p.Value;
        });
        return (outcomes, told);
    }

    /// <summary>The bias of the last layer is in the file: from it the mean logits of the images were taken.</summary>
    private Classifier Centred(Classifier net)
    {
        net.Parameters.Parameters[^1].Upload(Arrays.Floats($"{Name}/bias"));
        net.Parameters.BumpVersion();
        return net;
    }

    private static PreActResNet Convolutional(Device device, string name, float gain)
    {
        PreActResNet net = new(device, new() { Input = _nets[name].Image, Classes = 10, Width = 4, BlocksPerStage = 1 }, seed: 1);
        GoldenArrays.Fill(net, name);
        foreach (var weight in net.Parameters.Parameters.Where(p => p.Dimensions.Count > 1))
            weight.Upload(Array.ConvertAll(weight.ToArray(), v => gain * v));
        return net;
    }

    private static DenseNet Dense(Device device, string name)
    {
        var (image, widths, activation, gain) = _nets[name];
        int[] sizes = [image.SampleCount, .. widths];
        return new DenseNet(device, image, [.. widths.Select((width, i) => new DenseLayer(
            Values($"layer{i}.weight", gain, width, sizes[i]), Values($"layer{i}.bias", 1, width),
            i < widths.Length - 1 ? activation : Activation.None))]);

        double[] Values(string parameter, float factor, params int[] shape) =>
            Array.ConvertAll(GoldenFill.Values(name, parameter, shape, 32), v => (double)(factor * v));
    }
}
