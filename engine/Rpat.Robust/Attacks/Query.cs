namespace Rpat.Robust.Attacks;

/// <summary>
/// A query to the network about one image: its logits at a point, and optionally a loss and its gradient. <c>await</c> it: the runner
/// answers the queries of many images in one batch.
/// </summary>
public sealed class Query : ICriticalNotifyCompletion
{
    private Action? _continuation;

    internal Query(Subject subject, float[] point, AttackLoss? loss, int target, int draws)
    {
        (Subject, Point, Wanted, Target, Draws) = (subject, point, loss, target, draws);
        Logits = [];
        Gradient = [];
    }

    /// <summary>Logits <c>[K]</c> at the point; of the last draw if the model is random.</summary>
    public float[] Logits { get; internal set; }

    /// <summary>The loss at the point; of the last draw if the model is random.</summary>
    public double Loss { get; internal set; }

    /// <summary>∂loss/∂point <c>[C·H·W]</c>, the mean over the draws; empty when no gradient was requested.</summary>
    public float[] Gradient { get; internal set; }

    /// <summary>Whether the answer has arrived.</summary>
    public bool IsCompleted { get; private set; }

    internal Subject Subject { get; }

    internal float[] Point { get; }

    /// <summary>The loss whose gradient is requested, or null.</summary>
    internal AttackLoss? Wanted { get; }

    internal int Target { get; }

    /// <summary>Evaluations, each with different random numbers, over which the gradient is averaged.</summary>
    internal int Draws { get; }

    /// <summary>Selects the random numbers of a random model.</summary>
    internal RandomKey Noise { get; init; }

    /// <summary>For <c>await</c>.</summary>
    public Query GetAwaiter() => this;

    /// <summary>For <c>await</c>: the answered query.</summary>
    public Query GetResult() => IsCompleted ? this : throw new InvalidOperationException("The question is not answered yet: await it.");

    /// <inheritdoc/>
    public void OnCompleted(Action continuation) => _continuation = continuation;

    /// <inheritdoc/>
    public void UnsafeOnCompleted(Action continuation) => _continuation = continuation;

    internal void Complete()
    {
        IsCompleted = true;
        _continuation?.Invoke();
    }
}
