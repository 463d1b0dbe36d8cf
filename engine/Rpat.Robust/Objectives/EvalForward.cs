namespace Rpat.Robust.Objectives;

/// <summary>Evaluation-mode logits of a batch on the host, for targets computed there.</summary>
internal sealed class EvalForward
{
    private readonly Tape _tape;
    private readonly Tensor _logits;
    private readonly float[] _rows;

    public EvalForward(Classifier net, Tensor x)
    {
        _tape = new Tape(net.Device);
        _logits = _tape.Retain(net.Forward(_tape, x, BnMode.Eval));
        _rows = new float[_logits.Shape.Count];
    }

    /// <summary>Logits <c>[N, K]</c>, row by row.</summary>
    public ReadOnlySpan<float> Logits()
    {
        _tape.Forward();
        _logits.CopyTo(_rows);
        return _rows;
    }
}
