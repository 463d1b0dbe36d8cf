using Rpat.Engine;
using Rpat.Engine.Nn;

namespace Rpat.Robust;

/// <summary>
/// What a training step's loss may look at: the logits at the image x, at its adversarial version x′ and at points between them.
/// Each view is recorded when a term first asks for it, so the order of the terms is the order of the training-mode forwards,
/// which is part of a method's definition (methods.md 1.5).
/// </summary>
public sealed class Views
{
    private readonly Classifier _net;
    private readonly Tensor _x;
    private readonly Tensor _adversarial;
    private readonly Dictionary<float, Tensor> _logits = [];

    internal Views(Tape tape, Classifier net, Tensor x, Tensor adversarial, Labels labels)
    {
        (Tape, _net, _x, _adversarial, Labels) = (tape, net, x, adversarial, labels);
    }

    /// <summary>Where the loss is recorded.</summary>
    public Tape Tape { get; }

    /// <summary>True classes.</summary>
    public Labels Labels { get; }

    /// <summary>z(x).</summary>
    public Tensor Clean => At(0);

    /// <summary>z(x′).</summary>
    public Tensor Adversarial => At(1);

    /// <summary>z(x + α(x′ − x)).</summary>
    public Tensor At(float alpha)
    {
        if (_logits.TryGetValue(alpha, out var logits)) return logits;
        var point = alpha switch { 0 => _x, 1 => _adversarial, _ => Tape.Lerp(_x, _adversarial, alpha) };
        return _logits[alpha] = Tape.Keep(_net.Forward(Tape, point, BnMode.Train));
    }

    /// <summary>The logits whose accuracy a training log shows: x′ if the loss looks at it, else x.</summary>
    internal Tensor Shown => _logits.TryGetValue(1, out var adversarial) ? adversarial : Clean;
}
