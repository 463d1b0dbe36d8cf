namespace Rpat.Robust.Objectives;

/// <summary>
/// Logits of a network that the step does not train (a teacher, an average), at x, x′ and between: constants, computed
/// before the step's own tape, which therefore holds neither their activations nor their weights.
/// </summary>
public sealed class FrozenViews
{
    private readonly Classifier _net;
    private readonly Tensor _x;
    private readonly Tensor _adversarial;
    private readonly BnMode _bn;
    private readonly Tape _tape;
    private readonly Dictionary<float, Tensor> _logits = [];
    private readonly Dictionary<(string, float), Tensor> _given = [];
    private readonly List<(Tensor From, Tensor To)> _copies = [];

    internal FrozenViews(Classifier net, Tensor x, Tensor adversarial, BnMode bn, BatchShard? share)
    {
        (_net, _x, _adversarial, _bn, _tape) = (net, x, adversarial, bn, new Tape(net.Device) { Shard = share });
    }

    /// <summary>z(x).</summary>
    public Tensor Clean => At(0);

    /// <summary>z(x′).</summary>
    public Tensor Adversarial => At(1);

    /// <summary>z(x + α(x′ − x)).</summary>
    public Tensor At(float alpha) => Give("z", alpha, () => Logits(alpha));

    /// <summary>
    /// z(x) + (z(x̃) − z(x))/α: the value at x′ of a perception that is linear between x and x̃ = x + α(x′ − x) (RPAT++; methods.md 3.2).
    /// </summary>
    public Tensor Extrapolated(float alpha) =>
        alpha == 1 ? At(1) : Give("extrapolated", alpha, () => _tape.Lerp(Logits(0), Logits(alpha), 1 / alpha));

    /// <summary>z(x + α(x′ − x)) − z(x + β(x′ − x)).</summary>
    public Tensor Difference(float alpha, float beta) =>
        Give($"minus {beta}", alpha, () => _tape.Subtract(Logits(alpha), Logits(beta)));

    internal void Run()
    {
        if (_copies.Count == 0) return;
        _tape.Forward();
        foreach (var (from, to) in _copies) _net.Device.Copy(from.Data, to.Data);
    }

    private Tensor Logits(float alpha)
    {
        if (_logits.TryGetValue(alpha, out var logits)) return logits;
        var point = alpha switch { 0 => _x, 1 => _adversarial, _ => _tape.Lerp(_x, _adversarial, alpha) };
        return _logits[alpha] = _net.Forward(_tape, point, _bn);
    }

    private Tensor Give(string kind, float alpha, Func<Tensor> record)
    {
        if (_given.TryGetValue((kind, alpha), out var given)) return given;
        var from = _tape.Retain(record());
        given = Tensor.Create(_net.Device, from.Shape, name: "teacher's logits");
        _copies.Add((from, given));
        return _given[(kind, alpha)] = given;
    }
}
