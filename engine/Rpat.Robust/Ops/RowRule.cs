namespace Rpat.Robust.Ops;

/// <summary>
/// Numbers that a method's rule computes on the host. A mistake in a rule of others is its own, not the run's: a loss that is NaN because
/// of it would be taken for a learning rate that is too high.
/// </summary>
internal static class RowRule
{
    /// <summary>Computes weights.</summary>
    /// <exception cref="ContractException">The rule leaves one out, or one is negative or not finite.</exception>
    public static void Weigh(SampleWeighting rule, ReadOnlySpan<float> logits, ReadOnlySpan<int> labels, Span<float> weights)
    {
        weights.Fill(float.NaN);
        rule(logits, labels, weights);
        if (IsFinite(logits)) Require(Of(rule), "the sample weights", weights, least: 0);
    }

    /// <summary>The class that a rule belongs to.</summary>
    public static Type Of(Delegate rule) => rule.Target?.GetType() ?? rule.Method.DeclaringType!;

    /// <summary>Checks what a rule has put where NaN stood.</summary>
    /// <exception cref="ContractException">A number is missing, not finite, or too small.</exception>
    public static void Require(Type rule, string what, ReadOnlySpan<float> numbers, float least)
    {
        int wrong = rule.Assembly == typeof(RowRule).Assembly ? -1 : numbers.IndexOfAnyExceptInRange(least, float.MaxValue);
        if (wrong >= 0) throw new ContractException(rule, FormattableString.Invariant(
            $"gives {numbers[wrong]} as number {wrong} of {what}: give each a finite number{(least == 0 ? " of at least 0" : "")}."));
    }

    /// <summary>Whether it is the rule that decides, and not a network that has diverged.</summary>
    public static bool IsFinite(ReadOnlySpan<float> logits) => logits.IndexOfAnyExceptInRange(float.MinValue, float.MaxValue) < 0;
}
