namespace Rpat.Robust.Objectives;

/// <summary>
/// Estimates a network's running statistics again from clean images: the mean of the batches' statistics, each weighted by its size
/// (methods.md 4.1, 4.5).
/// </summary>
public sealed class BatchStatistics
{
    private readonly Classifier _net;
    private readonly Dictionary<int, (Tape Tape, Tensor X)> _programs = [];
    private readonly (double[] Mean, double[] Var)[] _sums;
    private long _seen;

    /// <summary>Begins an estimate.</summary>
    /// <param name="net">The network; its running statistics are replaced by <see cref="Finish"/>.</param>
    /// <exception cref="ArgumentException">The running statistics of a batch norm never move: its momentum is 0.</exception>
    public BatchStatistics(Classifier net)
    {
        if (Argument.Given(net).BatchNorms.FirstOrDefault(norm => norm.Momentum == 0) is { } still)
            throw new ArgumentException($"{still.Name} has momentum 0, so that batches leave its statistics as they are: give it another.");
        _net = net;
        _sums = [.. net.BatchNorms.Select(n => (new double[n.Channels], new double[n.Channels]))];
        foreach (var norm in net.BatchNorms) norm.BatchesTracked = 0;
    }

    /// <summary>Adds a batch.</summary>
    /// <param name="images">Images <c>[N, C, H, W]</c> in [0,1].</param>
    /// <exception cref="ShapeException">They are no whole number of images.</exception>
    public void Add(ReadOnlySpan<float> images)
    {
        int size = _net.InputShape.SampleCount, n = images.Length / size;
        ShapeException.Require(n > 0 && images.Length % size == 0, "BatchStatistics", $"{images.Length} values are no images of {size} each");
        var (tape, x) = For(n);
        foreach (var norm in _net.BatchNorms) Clear(norm);
        x.Upload(images);
        tape.Forward();
        double share = n / (double)(_seen += n);
        for (int i = 0; i < _sums.Length; i++)
        {
            var norm = _net.BatchNorms[i];
            Blend(norm.RunningMean, norm.Momentum, _sums[i].Mean, share);
            Blend(norm.RunningVar, norm.Momentum, _sums[i].Var, share);
        }
    }

    /// <summary>Writes the estimate to the network, and frees the memory of the batches.</summary>
    /// <exception cref="InvalidOperationException">No batch was added.</exception>
    public void Finish()
    {
        if (_seen == 0) throw new InvalidOperationException("Statistics of no images: call Add for each batch before Finish.");
        for (int i = 0; i < _sums.Length; i++)
        {
            _net.BatchNorms[i].RunningMean.Upload(Array.ConvertAll(_sums[i].Mean, v => (float)v));
            _net.BatchNorms[i].RunningVar.Upload(Array.ConvertAll(_sums[i].Var, v => (float)v));
        }
        foreach (var (tape, x) in _programs.Values)
        {
            tape.Release();
            _net.Device.Free(x.Data);
        }
        _programs.Clear();
    }

    // Starting from zero, a training-mode forward leaves momentum times the batch's own statistics.
    private static void Clear(BatchNorm2d norm)
    {
        var zeros = new float[norm.Channels];
        norm.RunningMean.Upload(zeros);
        norm.RunningVar.Upload(zeros);
    }

    private static void Blend(Tensor statistic, double momentum, double[] sum, double share)
    {
        float[] left = statistic.ToArray();
        for (int c = 0; c < sum.Length; c++) sum[c] += share * (left[c] / momentum - sum[c]);
    }

    private (Tape Tape, Tensor X) For(int n)
    {
        if (_programs.TryGetValue(n, out var program)) return program;
        var x = Tensor.Create(_net.Device, _net.InputShape.WithBatch(n), name: "x");
        var tape = new Tape(_net.Device);
        _net.Forward(tape, x, BnMode.Train);
        return _programs[n] = (tape, x);
    }
}
