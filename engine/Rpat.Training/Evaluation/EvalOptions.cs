using Rpat.Robust.Settings;

namespace Rpat.Training.Evaluation;

/// <summary>The options of <c>rpat eval</c>, parsed and checked.</summary>
/// <param name="DataDir">Where its files are, or null.</param>
/// <param name="Attacks">Names of the columns, without <c>clean</c>, which is always measured.</param>
/// <param name="Step">Length of PGD's steps, or null for the default share of ε.</param>
/// <param name="First">Number of the first image, from 0.</param>
/// <param name="Count">How many images from there, 0 for all.</param>
/// <param name="Batch">Images attacked at a time; on a CPU no result depends on it.</param>
internal sealed record EvalOptions(
    string Checkpoint, WeightChoice Weights, string Data, string? DataDir, IReadOnlyList<string> Attacks, Norm Norm,
    IReadOnlyList<Radius> Radii, double? Step,
    int First, int Count, BatchSize Batch, ulong Seed)
{
    /// <summary>Reads a list of attacks.</summary>
    /// <param name="checkpoint">What is attacked, which may be a run with a plugin that has the attack.</param>
    /// <exception cref="UsageException">One is unknown.</exception>
    public static IReadOnlyList<string> ParseAttacks(string text, string checkpoint, string option)
    {
        string[] names = [.. ConfigValue.Items(text).Select(name => CatalogNames.Attacks.Match(name)
            ?? throw RunPlugins.Or(checkpoint, new UsageException(
                $"{option} has '{name}', which is not an attack; {CatalogNames.Attacks.Hint(name)}"))).Distinct()];
        if (names.Length == 0) throw new UsageException($"{option} names nothing: give for instance pgd20 or aa.");
        return [.. names.Where(name => name != "clean")];
    }

    /// <summary>Refuses attacks that do not support the norm, before anything is opened.</summary>
    /// <exception cref="UsageException">There is one.</exception>
    public EvalOptions Checked()
    {
        try
        {
            foreach (string name in Attacks) _ = AttackCatalog.Find(name, Norm, Radii[0].Value, AutoAttack.StandardClasses, Step);
            return this;
        }
        catch (ArgumentException error)
        {
            throw new UsageException(error.Message, error);
        }
    }

    /// <summary>Reads a list of radii.</summary>
    /// <exception cref="UsageException">One is not a radius of the norm.</exception>
    public static IReadOnlyList<Radius> ParseRadii(string text, Norm norm)
    {
        Radius[] radii = [.. text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Select(one => ParseRadius(one, norm))];
        if (radii.Length == 0) throw new UsageException("--eps is empty: give for instance 8/255.");
        return [.. radii.DistinctBy(r => r.Value).OrderBy(r => r.Value)];
    }

    /// <summary>The plan for a network and images.</summary>
    /// <param name="modelHash">SHA-256 of the network's file.</param>
    public EvaluationPlan Plan(string modelPath, string modelHash, int classes, int batch)
    {
        return new EvaluationPlan
        {
            Norm = Norm,
            Radii = Radii,
            Seed = Seed,
            First = First,
            Batch = batch,
            Model = Path.GetFullPath(modelPath),
            ModelHash = modelHash,
            Network = Weights.Said(),
            Data = Data,
            SuitesAt = eps => [.. Attacks.Select(name => AttackCatalog.Find(name, Norm, eps, classes, Step)!)],
        };
    }

    private static Radius ParseRadius(string text, Norm norm)
    {
        bool read = Numbers.TryReal(text, out double value);
        if (!read || value <= 0) throw new UsageException($"--eps is '{text}' where a positive number is wanted, such as 8/255 or 0.5.");
        if (!UsualThreat.IsLength(text, value, norm))
            throw new UsageException($"--eps is '{text}', but images lie in [0,1]: write {text}/255 if that is what is meant.");
        return new Radius(text, value);
    }
}
