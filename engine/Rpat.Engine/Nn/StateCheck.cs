using Rpat.Engine.IO;

namespace Rpat.Engine.Nn;

/// <summary>Compares a network's state with what a file holds, and names everything that does not fit at once.</summary>
internal static class StateCheck
{
    public static void Require(IEnumerable<NamedArray> expected, IReadOnlyDictionary<string, NamedArray> found)
    {
        var wanted = expected.ToDictionary(a => a.Name);
        var problems = new List<string>();
        Report(problems, "missing", [.. wanted.Keys.Where(n => !found.ContainsKey(n))]);
        Report(problems, "unexpected", [.. found.Keys.Where(n => !wanted.ContainsKey(n))]);
        Report(problems, "of another shape", [.. wanted.Values.Where(a => found.TryGetValue(a.Name, out var b) && !a.Shape.SequenceEqual(b.Shape))
            .Select(a => $"{a.Name} (model [{string.Join(", ", a.Shape)}], file [{string.Join(", ", found[a.Name].Shape)}])")]);
        if (problems.Count > 0) throw new CheckpointException($"The checkpoint does not fit the model: {string.Join("; ", problems)}.");
    }

    private static void Report(List<string> problems, string what, IReadOnlyList<string> names)
    {
        if (names.Count == 0) return;
        string more = names.Count > 5 ? $" and {names.Count - 5} more" : "";
        problems.Add($"{names.Count} {what}: {string.Join(", ", names.Take(5))}{more}");
    }
}
