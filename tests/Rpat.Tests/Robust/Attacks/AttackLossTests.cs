namespace Rpat.Tests.Robust.Attacks;

/// <summary>Values of attacks.md 2.3, gradients against central differences (P18) and invariance (P19).</summary>
public class AttackLossTests
{
    public static TheoryData<float[], double, double, int, double> Table => new()
    {
        { [3, 1, -2, 0.5f, 0], 0.242119, -0.8, 3, -0.909091 },
        { [1, 3, -2, 0.5f, 0], 2.242119, 0.8, 2, -1.090909 },
        { [1, 1, 1, 1, 1], 1.609438, 0, 1, 0 },
        { [10, -10, -10, -10, -10], 8.2446e-9, -1, 1, -1 },
    };

    public static TheoryData<string, int, bool> Cases
    {
        get
        {
            TheoryData<string, int, bool> cases = [];
            foreach (int classes in new[] { 2, 3, 4, 5, 10, 100 })
                foreach (bool targeted in new[] { false, true })
                    foreach (string name in new[] { "ce", "margin", "dlr", "kl" })
                        cases.Add(name, classes, targeted);
            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Table))]
    public void Values_are_those_of_the_table(float[] z, double ce, double dlr, int target, double targetedDlr)
    {
        Assert.Equal(ce, Value(AttackLoss.CrossEntropy, z), ce > 1e-3 ? 1e-6 : 1e-12);
        Assert.Equal(dlr, Value(AttackLoss.Dlr, z), 1e-6);
        Assert.Equal(targetedDlr, Value(AttackLoss.Dlr, z, target), 1e-6);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Gradients_are_those_of_central_differences(string name, int classes, bool targeted)
    {
        AttackLoss loss = AttackLoss.Parse(name);
        Lcg lcg = new((uint)classes);
        for (int @case = 0; @case < 10; @case++)
        {
            // A permutation of distinct values: a tenth apart, so that no difference step changes the order.
            float[] z = [.. Enumerable.Range(0, classes).OrderBy(_ => lcg.Next()).Select(k => 0.1f * k + (float)(0.02 * lcg.Next()))];
            float[] clean = Array.ConvertAll(lcg.Fill(classes), v => (float)v), gradient = new float[classes];
            int label = @case % classes, target = targeted ? (label + 1) % classes : -1;
            Evaluate(loss, z, clean, label, target, gradient);
            for (int k = 0; k < classes; k++)
            {
                const float h = 1e-3f;
                float[] up = [.. z], down = [.. z];
                (up[k], down[k]) = (up[k] + h, down[k] - h);
                double numeric = (Evaluate(loss, up, clean, label, target) - Evaluate(loss, down, clean, label, target)) / ((double)up[k]
                    - down[k]);
                Assert.Equal(numeric, gradient[k], 1e-4 * Math.Max(1, Math.Abs(numeric)));
            }
        }
    }

    [Theory]
    [InlineData(3, false)]
    [InlineData(3, true)]
    [InlineData(10, false)]
    [InlineData(10, true)]
    public void Dlr_does_not_see_scale_and_shift(int classes, bool targeted)
    {
        float[] z = Array.ConvertAll(new Lcg(8).Fill(classes), v => (float)(4 * v));
        float[] moved = Array.ConvertAll(z, v => 7.5f * v + 3);
        int target = targeted ? 1 : -1;
        Assert.Equal(Value(AttackLoss.Dlr, z, target), Value(AttackLoss.Dlr, moved, target), 1e-5);
    }

    [Fact]
    public void Kl_is_zero_without_slope_at_the_clean_point()
    {
        float[] z = [1, 2, -0.5f], gradient = [9, 9, 9];
        Assert.Equal(0, Evaluate(AttackLoss.Kl, z, z, 0, -1, gradient), 1e-12);
        Assert.Equal([0f, 0f, 0f], gradient);
    }

    [Fact]
    public void Equal_logits_choose_the_first_class()
    {
        float[] gradient = new float[4];
        Evaluate(AttackLoss.Margin, [1, 2, 2, 0], [], 0, -1, gradient);
        Assert.Equal([-1f, 1f, 0f, 0f], gradient);
    }

    [Fact]
    public void An_unknown_name_is_refused() =>
        Assert.Equal("Loss 'cross' is unknown: use ce, margin, dlr or kl.",
        Assert.Throws<ArgumentException>(() => AttackLoss.Parse("cross")).Message);

    private static double Value(AttackLoss loss, float[] z, int target = -1) => Evaluate(loss, z, z, 0, target);

    private static double Evaluate(AttackLoss loss, float[] z, float[] clean, int label, int target, float[]? gradient = null) =>
        loss.Evaluate(
        new LossInput { Logits = z, Clean = clean, Label = label, Target = target }, gradient ?? new float[z.Length]);
}
