namespace Rpat.Engine.Ops;

/// <summary>
/// A training-mode batch norm over a batch that is sharded over several processes. Each takes the moments of its shard with the ordinary
/// kernels; the few numbers per channel are exchanged through the host, combined there in double precision in rank order, and uploaded as
/// fixed statistics. Parameters get the gradient of the shard, which is added over the processes with all other gradients.
/// </summary>
internal sealed class SharedBatchNorm
{
    private readonly BatchNorm2d _layer;
    private readonly Shape _shape;
    private readonly BatchShard _share;
    private readonly Device _device;
    private readonly DeviceBuffer _mean, _variance, _gammaSum, _betaSum, _linear;
    private readonly float[] _first, _second, _third, _lines, _mine, _all;
    private readonly double[] _sums;

    public SharedBatchNorm(Tape tape, BatchNorm2d layer, Shape shape, BatchShard share)
    {
        (_layer, _shape, _share, _device) = (layer, shape, share, tape.Device);
        int c = layer.Channels, line = _device.ChannelLength(c);
        (_mean, _variance, _gammaSum, _betaSum) = (tape.Allocate(c), tape.Allocate(c), tape.Allocate(c), tape.Allocate(c));
        (_first, _second, _third, _mine) = (new float[c], new float[c], new float[c], new float[2 * c]);
        (_all, _sums) = (new float[2 * c * share.Team.Size], new double[2 * c]);
        (_lines, _linear) = (new float[2 * line], tape.Allocate(2 * line));
    }

    private int Channels => _layer.Channels;

    /// <summary>Values per channel in the whole batch.</summary>
    private double Total => (double)_share.GlobalRows(_shape.N) * _shape.Area;

    /// <summary>The whole batch's statistics, and the affine map they give.</summary>
    public void Forward(IKernels k, DeviceBuffer x, in BatchNormState state, bool moveRunning, in BatchNormSaved saved)
    {
        k.BatchNormTrain(_shape, x, state, moveRunning: false, saved);
        _device.Download(saved.Mean, _mine.AsSpan(0, Channels));
        _device.Download(saved.InvStd, _first);
        for (int c = 0; c < Channels; c++)
            _mine[Channels + c] = (float)Math.Max(0, 1 / ((double)_first[c] * _first[c]) - _layer.Epsilon);
        _share.Team.AllGather<float>(_mine, _all); // each rank's [mean, variance] of its own shard
        Join(moveRunning);
        k.BatchNormEval(Channels, state with { RunningMean = _mean, RunningVar = _variance }, saved);
    }

    /// <summary>Like <see cref="IBatchNorm2dKernels.BatchNormBackward"/>, with the sums of the whole batch in dx.</summary>
    public void Backward(IKernels k, DeviceBuffer x, DeviceBuffer dh, in BatchNormSaved saved, bool relu, in BatchNormGradients gradients)
    {
        k.BatchNormBackward(_shape, x, dh, saved, relu, batchStatistics: true, new(_gammaSum, _betaSum, false, null, false));
        if (gradients.Gamma is { } gamma) k.Scale(Channels, _gammaSum, 1, gradients.AddParameters, gamma);
        if (gradients.Beta is { } beta) k.Scale(Channels, _betaSum, 1, gradients.AddParameters, beta);
        if (gradients.X is not { } dx) return;
        Sum();
        Lines(saved);
        _device.Upload(_lines, _linear);
        k.BatchNormInputGradient(_shape, x, dh, saved, relu, _linear, gradients.AddX, dx);
    }

    private void Join(bool moveRunning)
    {
        for (int c = 0; c < Channels; c++) (_sums[c], _sums[Channels + c]) = (Mean(c), 0);
        for (int c = 0; c < Channels; c++) _sums[Channels + c] = Squares(c, _sums[c]);
        for (int c = 0; c < Channels; c++) (_first[c], _second[c]) = ((float)_sums[c], (float)(_sums[Channels + c] / Total));
        _device.Upload(_first, _mean);
        _device.Upload(_second, _variance);
        if (!moveRunning) return;
        Move(_layer.RunningMean, 0, 1);
        Move(_layer.RunningVar, Channels, Total - 1);
    }

    private double Mean(int c)
    {
        double sum = 0;
        for (int rank = 0; rank < _share.Team.Size; rank++) sum += Values(rank) * _all[2 * rank * Channels + c];
        return sum / Total;
    }

    private double Squares(int c, double mean)
    {
        double sum = 0;
        for (int rank = 0; rank < _share.Team.Size; rank++)
        {
            double apart = _all[2 * rank * Channels + c] - mean;
            sum += Values(rank) * (_all[(2 * rank + 1) * Channels + c] + apart * apart);
        }
        return sum;
    }

    /// <summary>Values per channel of a rank: 0 if its image does not count.</summary>
    private double Values(int rank) => (double)(_shape.N / _share.LocalRows) * _share.ShardOf(rank).Count * _shape.Area;

    private void Move(Tensor running, int from, double divisor)
    {
        double momentum = _layer.Momentum;
        running.CopyTo(_first);
        for (int c = 0; c < Channels; c++) _first[c] = (float)((1 - momentum) * _first[c] + momentum * (_sums[from + c] / divisor));
        running.Upload(_first);
    }

    /// <summary>Σg and Σg·x̂ of the whole batch.</summary>
    private void Sum()
    {
        _device.Download(_betaSum, _mine.AsSpan(0, Channels));
        _device.Download(_gammaSum, _mine.AsSpan(Channels));
        for (int i = 0; i < _sums.Length; i++) _sums[i] = _share.Count == 0 ? 0 : _mine[i];
        _share.Team.AllReduce(_sums);
    }

    /// <summary>dx = scale·g + slope·x + offset: one slope and one offset per channel, each vector padded to the layout's block.</summary>
    private void Lines(in BatchNormSaved saved)
    {
        _device.Download(saved.Mean, _first);
        _device.Download(saved.InvStd, _second);
        _device.Download(saved.Scale, _third);
        for (int c = 0, line = _lines.Length / 2; c < Channels; c++)
        {
            double share = _third[c] / Total, slope = -share * _second[c] * _sums[Channels + c];
            (_lines[c], _lines[line + c]) = ((float)slope, (float)(-share * _sums[c] - slope * _first[c]));
        }
    }
}
