namespace Rpat.Tests.Reference;

/// <summary>Gradients of the RPAT term to the three logit tensors of (methods.md 0.1): x̃, x and x′.</summary>
internal sealed record RpatGradient(Array4 Interpolated, Array4 Benign, Array4 Adversarial);

/// <summary>The value of a term with its gradients.</summary>
internal sealed record RpatTerm(double Value, RpatGradient Gradient);

/// <summary>
/// The robust-perception term on the logits u = z(x̃), a = z(x), b = z(x′), each (B, K, 1, 1), for x̃ = x + α(x′ − x).
/// No tensor is detached. Both forms are means over batch and classes.
/// </summary>
internal static class ReferenceRpat
{
    /// <summary>The official code's form (methods.md 1.3): mean of R² with R = u − (1−α)a − αb.</summary>
    public static RpatTerm CodeForm(Array4 u, Array4 a, Array4 b, double alpha)
    {
        Array4 residual = u.Zip(ReferenceElementwise.Lerp(a, b, alpha), (p, q) => p - q);
        return Squared(residual, 1, -(1 - alpha), -alpha);
    }

    /// <summary>The paper's form (methods.md 1.2): mean of D² with D = (u − a)/α − (b − u)/(1−α), for 0 &lt; α &lt; 1.</summary>
    public static RpatTerm QuotientForm(Array4 u, Array4 a, Array4 b, double alpha)
    {
        if (alpha is not (> 0 and < 1)) throw new ArgumentOutOfRangeException(nameof(alpha), alpha, "The quotients need 0 < alpha < 1.");
        Array4 rise = u.Zip(a, (p, q) => (p - q) / alpha);
        Array4 rest = b.Zip(u, (p, q) => (p - q) / (1 - alpha));
        return Squared(rise.Zip(rest, (p, q) => p - q), 1 / alpha + 1 / (1 - alpha), -1 / alpha, -1 / (1 - alpha));
    }

    // mean(R²) where R is linear in u, a and b with these coefficients: each gradient is 2R/count times its coefficient.
    private static RpatTerm Squared(Array4 residual, double u, double a, double b)
    {
        Array4 Scaled(double factor) => residual.Map(value => 2 * factor * value / residual.Length);
        return new RpatTerm(residual.Dot(residual) / residual.Length, new RpatGradient(Scaled(u), Scaled(a), Scaled(b)));
    }
}
