namespace Rpat.Tests.Reference;

public class ReferenceAttackTests
{
    private const double Epsilon = 8 / 255.0;

    private static readonly Array4 _x = Array4.Uniform(3, 2, 4, 4, seed: 1, low: 0, high: 1);
    private static readonly Array4 _noise = Array4.Uniform(3, 2, 4, 4, seed: 2, low: 0, high: 1);
    private static readonly Array4 _gradient = Array4.Normal(3, 2, 4, 4, seed: 3);

    [Fact]
    public void A_cube_step_moves_by_the_sign_and_not_where_the_slope_is_zero()
    {
        Array4 x = Array4.From(1, 1, 1, 4, .5, .5, .5, .99), g = Array4.From(1, 1, 1, 4, 3, -1e-9, 0, 1);
        Array4 u = ReferenceAttack.LinfStep(x, x, g, 0.02, 0.03);
        Assert.Equal([.52, .48, .5, 1], u.Data.Select(v => Math.Round(v, 12)));
        Assert.Equal([.53, .47, .5, 1], ReferenceAttack.LinfStep(x, u, g, 0.02, 0.03).Data.Select(v => Math.Round(v, 12)));
    }

    [Theory]
    [InlineData('A')]
    [InlineData('B')]
    public void A_free_ball_step_has_the_step_length_and_the_gradients_direction(char row)
    {
        Array4 x = _x.Map(_ => 0.5);
        Array4 delta = L2Step(row, x, x, _gradient, 0.1, 0.2).Zip(x, (p, q) => p - q);
        Assert.All(Rows.Norms(delta), norm => Assert.Equal(0.1, norm, 1e-8));
        Assert.Equal(0.1 * Rows.Norms(_gradient).Sum(), delta.Dot(_gradient), 1e-6);
    }

    [Theory]
    [InlineData('A')]
    [InlineData('B')]
    public void A_zero_gradient_stays_where_it_is(char row) =>
        Assert.Equal(_x.Data, L2Step(row, _x, _x, _x.Like(), 0.1, 0.2).Data);

    [Fact]
    public void A_small_gradient_tells_the_guards_apart()
    {
        Array4 x = Array4.From(1, 1, 1, 1, 0.5), g = Array4.From(1, 1, 1, 1, 1e-8);
        Assert.Equal(0.5 + 0.1 * 0.01, L2Step('A', x, x, g, 0.1, 0.2).Data[0], 1e-12);
        Assert.Equal(0.5 + 0.1 * 0.5, L2Step('B', x, x, g, 0.1, 0.2).Data[0], 1e-12);
    }

    [Fact]
    public void Clipping_first_and_projecting_first_differ_at_the_box()
    {
        Array4 x = Array4.From(1, 1, 1, 2, 0.9, 0.5), g = Array4.From(1, 1, 1, 2, 1, 1);
        double slide = 0.4 / Math.Sqrt(2), ball = 0.2 / Math.Sqrt(2);
        double shrink = 0.2 / Math.Sqrt(0.01 + slide * slide);
        Assert.Equal([0.9 + 0.1 * shrink, 0.5 + slide * shrink], L2Step('A', x, x, g, 0.4, 0.2).Data, (p, q) => Math.Abs(p - q) < 1e-6);
        Assert.Equal([1, 0.5 + ball], L2Step('B', x, x, g, 0.4, 0.2).Data, (p, q) => Math.Abs(p - q) < 1e-6);
    }

    [Fact]
    public void A_point_inside_the_ball_is_left_exactly()
    {
        Array4 delta = _gradient.Map(v => v * 0.001);
        Assert.Equal(delta.Data, ReferenceAttack.ScaleIntoBall(delta, 1).Data);
    }

    [Fact]
    public void Against_a_linear_loss_the_cube_attack_reaches_its_exact_optimum()
    {
        // The maximum of g·u over the cube and the box is at the far corner.
        Array4 best = _x.Zip(_gradient, (p, g) => Math.Clamp(p + Epsilon * Math.Sign(g), 0, 1));
        Array4 u = _x;
        for (int i = 0; i < 20; i++) u = ReferenceAttack.LinfStep(_x, u, _gradient, 2 / 255.0, Epsilon);
        Assert.Equal(best.Data, u.Data, (p, q) => Math.Abs(p - q) < 1e-15);
    }

    private static Array4 L2Step(char row, Array4 u, Array4 g, double step, double epsilon) => L2Step(row, _x, u, g, step, epsilon);

    private static Array4 L2Step(char row, Array4 x, Array4 u, Array4 g, double step, double epsilon) =>
        row == 'A' ? ReferenceAttack.L2StepA(x, u, g, step, epsilon) : ReferenceAttack.L2StepB(x, u, g, step, epsilon);
}
