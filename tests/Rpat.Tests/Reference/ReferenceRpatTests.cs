namespace Rpat.Tests.Reference;

public class ReferenceRpatTests
{
    private static readonly Array4 _u = Array4.Normal(4, 6, 1, 1, seed: 1);
    private static readonly Array4 _a = Array4.Normal(4, 6, 1, 1, seed: 2);
    private static readonly Array4 _b = Array4.Normal(4, 6, 1, 1, seed: 3);

    public static TheoryData<double> Alphas => [0.1, 0.25, 0.5, 0.8];

    [Theory]
    [MemberData(nameof(Alphas))]
    public void The_gradients_of_both_forms_match_differences(double alpha)
    {
        CheckGradients((u, a, b) => ReferenceRpat.CodeForm(u, a, b, alpha));
        CheckGradients((u, a, b) => ReferenceRpat.QuotientForm(u, a, b, alpha));
    }

    [Theory]
    [MemberData(nameof(Alphas))]
    public void The_quotient_form_is_the_code_form_over_the_square_of_alpha_times_one_minus_alpha(double alpha)
    {
        RpatTerm code = ReferenceRpat.CodeForm(_u, _a, _b, alpha), quotient = ReferenceRpat.QuotientForm(_u, _a, _b, alpha);
        double factor = Math.Pow(alpha * (1 - alpha), -2);
        Assert.Equal(factor, quotient.Value / code.Value, factor * 1e-12);
        Assert.True(Array4.RelativeMaxError(
            code.Gradient.Adversarial.Map(g => g * factor), quotient.Gradient.Adversarial) < 1e-12);
    }

    [Theory]
    [MemberData(nameof(Alphas))]
    public void The_term_vanishes_for_a_linear_model(double alpha)
    {
        Array4 x = Array4.Uniform(4, 3, 2, 2, seed: 4, low: 0), adversarial = Array4.Uniform(4, 3, 2, 2, seed: 5, low: 0);
        Array4 w = Array4.Uniform(6, 3, 2, 2, seed: 6);
        Array4 Model(Array4 input) => ReferenceLinear.Forward(input, w, [1, 2, 3, 4, 5, 6]);
        Array4 u = Model(ReferenceElementwise.Lerp(x, adversarial, alpha));
        Assert.Equal(0, ReferenceRpat.CodeForm(u, Model(x), Model(adversarial), alpha).Value, 1e-28);
        Assert.Equal(0, ReferenceRpat.QuotientForm(u, Model(x), Model(adversarial), alpha).Value, 1e-26);
    }

    [Fact]
    public void The_term_vanishes_without_a_perturbation() => Assert.Equal(0, ReferenceRpat.CodeForm(_a, _a, _a, 0.5).Value);

    [Theory]
    [MemberData(nameof(Alphas))]
    public void The_three_gradients_cancel(double alpha)
    {
        // Shifting all three logits by the same vector changes nothing.
        RpatGradient g = ReferenceRpat.CodeForm(_u, _a, _b, alpha).Gradient;
        Array4 sum = ReferenceElementwise.Add(ReferenceElementwise.Add(g.Interpolated, g.Benign), g.Adversarial);
        Assert.True(sum.MaxAbs() < 1e-15);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Quotients_need_an_inner_point(double alpha) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => ReferenceRpat.QuotientForm(_u, _a, _b, alpha));

    private static void CheckGradients(Func<Array4, Array4, Array4, RpatTerm> term)
    {
        RpatGradient gradient = term(_u, _a, _b).Gradient;
        NumericalGradient.AssertGradient(z => term(z, _a, _b).Value, _u, gradient.Interpolated, 1e-7);
        NumericalGradient.AssertGradient(z => term(_u, z, _b).Value, _a, gradient.Benign, 1e-7);
        NumericalGradient.AssertGradient(z => term(_u, _a, z).Value, _b, gradient.Adversarial, 1e-7);
    }
}
