using Rpat.Engine;
using Rpat.Engine.Nn;

namespace Rpat.Robust.Training;

/// <summary>Evaluation-mode logits of a batch on the host, for targets that are computed there.</summary>
internal sealed class Glance
{
    private readonly Tape _tape;
    private readonly Tensor _logits;
    private readonly float[] _rows;

    public Glance(Classifier net, Tensor x)
    {
        _tape = new Tape(net.Device);
        _logits = _tape.Keep(net.Forward(_tape, x, BnMode.Eval));
        _rows = new float[_logits.Shape.Count];
    }

    /// <summary>Logits <c>[N, K]</c>, row by row.</summary>
    public ReadOnlySpan<float> Look()
    {
        _tape.Forward();
        _logits.CopyTo(_rows);
        return _rows;
    }
}
