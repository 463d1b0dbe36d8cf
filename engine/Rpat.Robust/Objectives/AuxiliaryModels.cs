namespace Rpat.Robust.Objectives;

/// <summary>Networks that a method needs in addition to the trained one.</summary>
public sealed record AuxiliaryModels
{
    /// <summary>Makes another network of the same architecture, for averaged weights.</summary>
    public Func<Classifier>? Twin { get; init; }

    /// <summary>Frozen networks by the names that the method gives them (<see cref="Objective.Teachers"/>).</summary>
    public IReadOnlyDictionary<string, Classifier> Teachers { get; init; } = new Dictionary<string, Classifier>();

    /// <summary>A network of the same architecture.</summary>
    /// <param name="method">The method that needs it, for the message.</param>
    /// <exception cref="ArgumentException">There is no <see cref="Twin"/>.</exception>
    public Classifier CreateCopy(string method) => Twin?.Invoke()
        ?? throw new ArgumentException($"{method} keeps a second network of the same kind: give the training step new AuxiliaryModels "
            + "{ Twin = … }, which makes it.");

    internal Classifier Teacher(string name) => Teachers.TryGetValue(name, out var net)
        ? net
        : throw new ArgumentException($"The method needs a teacher '{name}': give the training step new AuxiliaryModels "
            + "{ Teachers = … } with it.");
}
