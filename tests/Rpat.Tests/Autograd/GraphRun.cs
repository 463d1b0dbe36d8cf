using Rpat.Robust.Losses;
using Rpat.Tests.Models;
using Rpat.Tests.Reference;

namespace Rpat.Tests.Autograd;

/// <summary>A random graph recorded at x, at x̃ and at x′ with a loss over all three, and everything that a run of it computes.</summary>
internal sealed class GraphRun : IDisposable
{
    private readonly Device _device;
    private readonly RandomGraph _net;
    private readonly Tensor[] _images;
    private readonly Loss _loss;

    public GraphRun(int seed, Gradients gradients = Gradients.Inputs | Gradients.Parameters)
    {
        _device = Device.Cpu(1 + seed % 2, seed % 4 < 2 ? ConvolutionAlgorithm.Auto : ConvolutionAlgorithm.Direct);
        _net = new RandomGraph(_device, seed);
        ModelState.Disturb(_net, seed); // a β of zero behind a ReLU would put values exactly on the next ReLU's kink
        _images = [.. Enumerable.Range(0, 2).Select(i => Tensor.From(
            _device, _net.InputShape.WithBatch(3), Array4.Uniform(3, 3, 6, 5, seed: 2 * seed + i, low: 0).ToFloats(), needsGrad: true))];
        Tape = new Tape(_device, gradients);
        var mode = seed % 5 < 3 ? BnMode.TrainFrozen : BnMode.Eval;
        Tensor[] points = [Tape.Lerp(_images[0], _images[1], 0.25f), .. _images];
        Tensor[] z = Array.ConvertAll(points, x => _net.Forward(Tape, x, mode));
        Tape.Retain(z[0]);
        Logits = z[0];
        _loss = Tape.RpatLoss(z[0], z[1], z[2], Labels.From(_device, [0, 3, 1]), lambda: 2) + 0.5f * Tape.KlDivergence(z[1], z[2]);
    }

    public Tape Tape { get; }

    public Tensor Logits { get; }

    public Arena Arena => _device.Arena;

    /// <summary>Runs once: loss, kept logits, gradients of both images and of every parameter.</summary>
    public float[] Run()
    {
        foreach (var p in _net.Parameters.Parameters) _device.Upload(new float[p.Shape.Count], p.Grad);
        if (Tape.Gradients == Gradients.None) Tape.Forward();
        else Tape.Run();
        return
        [
            (float)_loss.Read(), .. Logits.ToArray(), .. _images.SelectMany(Gradient), .. _net.Parameters.Parameters.SelectMany(Gradient),
        ];
    }

    /// <summary>
    /// The loss's slope by central differences along the unit gradient of both images and all parameters together, and the length
    /// of that gradient, which it must equal.
    /// </summary>
    public (double Slope, double Length) Along(float step)
    {
        Run();
        Tensor[] leaves = [.. _images, .. _net.Parameters.Parameters];
        float[][] values = [.. leaves.Select(t => t.ToArray())], gradients = [.. leaves.Select(Gradient)];
        double length = Math.Sqrt(gradients.SelectMany(g => g).Sum(g => (double)g * g));
        double At(double t)
        {
            for (int i = 0; i < leaves.Length; i++)
                leaves[i].Upload([.. values[i].Zip(gradients[i], (v, g) => (float)(v + t * g / length))]);
            _net.Parameters.BumpVersion();
            Tape.Forward();
            return _loss.Read();
        }

        return ((At(step) - At(-step)) / (2 * step), length);
    }

    /// <summary>Fills the whole arena with NaN: a value that is read without having been written in this run shows.</summary>
    public void PoisonArena() => Poison(Arena.View(0, Arena.Capacity));

    /// <summary>Gives every planned tensor memory of its own, so that nothing can overwrite it.</summary>
    public void GiveOwnMemory(IReadOnlyDictionary<Place, Lifetime> places)
    {
        foreach (var place in places.Keys.Where(p => !p.IsGradient)) place.Tensor.Data = Fresh(place.Tensor);
        foreach (var place in places.Keys.Where(p => p.IsGradient)) place.Tensor.Grad = Fresh(place.Tensor);
        foreach (var node in Tape.Nodes.Reverse())
            foreach (var edge in node.Inputs.Where(e => e.SharesOutputGrad))
                edge.Target!.Grad = node.Outputs[0].Grad;
    }

    public void Dispose() => _device.Dispose();

    private float[] Gradient(Tensor leaf)
    {
        var values = new float[leaf.Shape.Count];
        _device.Download(leaf.Grad, values);
        return values;
    }

    private DeviceBuffer Fresh(Tensor tensor)
    {
        var buffer = _device.Allocate(tensor.StorageLength);
        Poison(buffer);
        return buffer;
    }

    private void Poison(DeviceBuffer buffer)
    {
        var poison = new float[buffer.Length];
        Array.Fill(poison, float.NaN);
        _device.Upload(poison, buffer);
    }
}
