using Rpat.Robust.Losses;
using Rpat.Tests.Reference;

namespace Rpat.Tests.Ops;

/// <summary>RPAT's term in both forms, alone and fused with the cross-entropy (methods.md 1.2 to 1.5).</summary>
public class PerceptionTests
{
    private static readonly string[] _inputs = ["between", "clean", "adversarial"];

    [Theory]
    [InlineData("small", 0.5f)]
    [InlineData("small", 0.3f)]
    [InlineData("large", 0.5f)]
    [InlineData("large", 0.3f)]
    [InlineData("wide", 0.5f)]
    [InlineData("wide", 0.3f)]
    public void Both_forms_and_all_three_gradients_are_PyTorchs(string @case, float alpha)
    {
        foreach (var (form, name) in new[] { (PerceptionForm.Residual, "code"), (PerceptionForm.DifferenceQuotient, "quotients") })
            LossProbe.Run(LossProbe.Golden(@case, _inputs), (tape, z) => tape.Perception(z[0], z[1], z[2], alpha, form))
                .AssertGolden(@case, FormattableString.Invariant($"rpat_{name}_{alpha}"), _inputs);
    }

    [Fact]
    public void The_papers_form_is_the_codes_form_over_the_square_of_alpha_and_its_rest()
    {
        const float alpha = 0.25f;
        Array4[] z = Logits(4, 10, 3);
        var code = LossProbe.Run(z, (tape, t) => tape.Perception(t[0], t[1], t[2], alpha));
        var paper = LossProbe.Run(z, (tape, t) => tape.Perception(t[0], t[1], t[2], alpha, PerceptionForm.DifferenceQuotient));
        LossProbe.AssertNear(code.Value / Math.Pow(alpha * (1 - alpha), 2), paper.Value, 3e-7);
    }

    [Theory]
    [InlineData(1f, 0.5f, PerceptionForm.Residual)]
    [InlineData(2.5f, 0.3f, PerceptionForm.Residual)]
    [InlineData(0.0625f, 0.5f, PerceptionForm.DifferenceQuotient)]
    public void The_fused_loss_is_the_sum_of_its_parts(float lambda, float alpha, PerceptionForm form)
    {
        int[] labels = [3, 0, 9, 5];
        var fused = LossProbe.Run(Logits(4, 10, 4), labels, (tape, t, y) => tape.RpatLoss(t[0], t[1], t[2], y, lambda, alpha, form));
        var sum = LossProbe.Run(Logits(4, 10, 4), labels, (tape, t, y) =>
            tape.CrossEntropy(t[2], y) + lambda * tape.Perception(t[0], t[1], t[2], alpha, form));
        LossProbe.AssertNear(sum.Value, fused.Value, 2e-7);
        for (int i = 0; i < 3; i++)
            LossProbe.AssertNear(Array.ConvertAll(sum.Gradients[i], g => (double)g), fused.Gradients[i], 3e-7);
    }

    [Fact]
    public void The_fused_loss_reads_its_parts_by_name_and_scales_with_its_weight()
    {
        using var device = Device.Cpu(1);
        Tensor[] z = Array.ConvertAll(Logits(4, 10, 5), a => Tensor.From(device, new Shape(4, 10), a.ToFloats(), needsGrad: true));
        var tape = new Tape(device, Gradients.Inputs);
        var term = (2 * tape.RpatLoss(z[0], z[1], z[2], Labels.From(device, [1, 2, 3, 4]), lambda: 3)).Terms.Single();
        tape.Run();
        Assert.Equal(["ce", "rpat"], term.Parts);
        LossProbe.AssertNear(2 * (term.ReadPart(0) + 3 * term.ReadPart(1)), term.Read(), 1e-12);
        float[] once = z[0].GradToArray();
        term.Weight = 4;
        tape.Run();
        Assert.Equal(Array.ConvertAll(once, g => 2 * g), z[0].GradToArray());
    }

    [Fact]
    public void Logits_that_change_linearly_cost_nothing()
    {
        Array4[] z = Logits(4, 10, 6);
        // Quarters of small integers: (1−α)a + αb is exact in float32.
        Array4 a = z[1].Map(v => Math.Round(4 * v)), b = z[2].Map(v => Math.Round(4 * v)), u = ReferenceElementwise.Lerp(a, b, 0.25);
        var probe = LossProbe.Run([u, a, b], (tape, t) => tape.Perception(t[0], t[1], t[2], 0.25f));
        Assert.Equal(0, probe.Value);
        Assert.All(probe.Gradients.SelectMany(g => g), g => Assert.Equal(0f, g));
    }

    [Theory]
    [InlineData(0f)]
    [InlineData(1f)]
    [InlineData(-0.5f)]
    [InlineData(float.NaN)]
    public void An_alpha_outside_the_open_interval_is_refused(float alpha)
    {
        var error = Assert.Throws<ShapeException>(() =>
            LossProbe.Run(Logits(2, 5, 7), [0, 1], (tape, t, y) => tape.RpatLoss(t[0], t[1], t[2], y, 1, alpha)));
        Assert.Contains("must lie between 0 and 1", error.Message);
    }

    [Fact]
    public void Other_sizes_are_refused_by_name()
    {
        Array4[] z = [.. Logits(2, 5, 8)[..2], Array4.Uniform(2, 4, 1, 1, seed: 1)];
        Assert.Equal("PerceptionLoss", Assert.Throws<ShapeException>(
            () => LossProbe.Run(z, (tape, t) => tape.Perception(t[0], t[1], t[2]))).Op);
        var labels = Assert.Throws<ShapeException>(() =>
            LossProbe.Run(Logits(2, 5, 9), [0], (tape, t, y) => tape.RpatLoss(t[0], t[1], t[2], y)));
        Assert.Contains("1 labels", labels.Message);
    }

    private static Array4[] Logits(int n, int k, int seed) =>
        [.. Enumerable.Range(0, 3).Select(i => Array4.Normal(n, k, 1, 1, 10 * seed + i, deviation: 2))];
}
