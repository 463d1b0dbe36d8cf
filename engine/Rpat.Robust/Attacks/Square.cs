namespace Rpat.Robust.Attacks;

/// <summary>
/// Uniform numbers in [0,1) for one iteration of the Square attack on one image; iteration −1 is the start. In the order of attacks.md
/// 2.6: at the start a sign per channel and column (L∞), or per tile a flip and a sign per channel (L2); in an iteration row, column, a
/// sign per channel (L∞), or two rows and columns, a flip and a sign per channel (L2).
/// </summary>
public delegate Func<double> SquareDraws(Subject subject, AttackPart part, int iteration);

/// <summary>
/// Square (Andriushchenko et al., ECCV'20; attacks.md 2.6): random search over square windows that uses logits only. AutoAttack's
/// settings: margin loss, p = 0.8 without rescaling, 5000 iterations.
/// </summary>
public sealed record Square : Attack
{
    /// <inheritdoc/>
    public override string Name => "square";

    /// <inheritdoc/>
    public override string Settings => Text($"steps={Steps} restarts={Restarts} p={FirstShare:R} every-position={EveryPosition}")
        + (Draws is null ? "" : " draws=own");

    /// <summary>Iterations after the stripes of the start, each one evaluation of the network; 0 for the start alone.</summary>
    public int Steps { get; init => field = value == 0 ? 0 : InputCheck.FromOne(value); } = 5000;

    /// <summary>Share of the image that a window covers at first.</summary>
    public double FirstShare { get; init => field = InputCheck.Between(0, 1, value, open: true); } = 0.8;

    /// <summary>Let windows reach the last row and column; in the reference, windows smaller than the image never do.</summary>
    public bool EveryPosition { get; init; }

    /// <summary>Your own uniform numbers, or null.</summary>
    public SquareDraws? Draws { get; init; }

    internal override int Id => 40;

    /// <inheritdoc/>
    public override long Cost(int classes) => Steps + 2;

    /// <inheritdoc/>
    protected internal override async Task<AttackResult> Run(Subject subject, AttackPart part)
    {
        SquareSearch search = Norm == Norm.Linf ? new SquareLinf(this, subject)
            : Norm == Norm.L2 ? new SquareL2(this, subject) : new SquareL1(this, subject);
        float[] u = OwnStart(subject, part) ?? search.Begin(Numbers(subject, part, -1));
        float[] z = (await subject.Logits(u)).Logits;
        var (margin, won, at) = (subject.Margin(z), subject.Succeeds(z), -1);
        for (int i = 0; i < Steps && !won; i++)
        {
            float[] v = search.Propose(u, i, Numbers(subject, part, i));
            z = (await subject.Logits(v)).Logits;
            won = subject.Succeeds(z);
            if (won || subject.Margin(z) < margin) (u, margin, at) = (v, subject.Margin(z), i);
            subject.Tell("margin", i, margin);
        }
        bool fooled = subject.Succeeds((await subject.Logits(u)).Logits);
        return new AttackResult(u, fooled, -margin, at);
    }

    private Func<double> Numbers(Subject s, AttackPart part, int iteration)
    {
        if (Draws is not null) return Draws(s, part, iteration);
        var stream = s.Random(this, part, Purpose.AttackStep, iteration + 1);
        long draw = 0;
        return () => stream.Uniform(draw++);
    }
}

/// <summary>Where the two norms differ.</summary>
internal abstract class SquareSearch(Square attack, Subject subject)
{
    protected float[] X { get; } = subject.Image;
    protected Shape Shape { get; } = subject.Shape;
    protected double Eps { get; } = attack.Eps;

    public abstract float[] Begin(Func<double> next);

    public abstract float[] Propose(float[] u, int iteration, Func<double> next);

    protected double Share(int iteration) => SquareShapes.Share(attack.FirstShare, iteration);

    /// <summary>First row or column of a window.</summary>
    protected int Place(int length, int side, double uniform) => (int)((length - side + (attack.EveryPosition ? 1 : 0)) * uniform);

    protected int At(int channel, int row, int column) => (channel * Shape.H + row) * Shape.W + column;

    protected static int Sign(double uniform) => Math.Sign(2 * uniform - 1);
}

/// <summary>Windows of ±ε per channel, over vertical stripes.</summary>
internal sealed class SquareLinf(Square attack, Subject subject) : SquareSearch(attack, subject)
{
    public override float[] Begin(Func<double> next)
    {
        var u = new float[X.Length];
        for (int c = 0; c < Shape.C; c++)
            for (int column = 0; column < Shape.W; column++)
            {
                double shift = Eps * Sign(next());
                for (int row = 0; row < Shape.H; row++)
                    u[At(c, row, column)] = Math.Clamp(X[At(c, row, column)] + (float)shift, 0f, 1f);
            }
        return u;
    }

    public override float[] Propose(float[] u, int iteration, Func<double> next)
    {
        int side = SquareShapes.LinfSide(Share(iteration), Shape.H, Shape.W);
        int top = Place(Shape.H, side, next()), left = Place(Shape.W, side, next());
        var v = (float[])u.Clone();
        float eps = (float)Eps;
        for (int c = 0; c < Shape.C; c++)
        {
            float shift = 2 * eps * Sign(next());
            for (int row = top; row < top + side; row++)
                for (int i = At(c, row, left), end = i + side; i < end; i++)
                    v[i] = Math.Clamp(Math.Clamp(u[i] + shift, X[i] - eps, X[i] + eps), 0f, 1f);
        }
        return v;
    }
}

/// <summary>Windows that take over the length of another window, over a tiling of bumps.</summary>
internal class SquareL2(Square attack, Subject subject) : SquareSearch(attack, subject)
{
    private const double Guard = 1e-12;

    private (int Side, double[] Upright, double[] Lying) _eta;

    /// <summary>What a value adds to its window, and the length of a window from the sum.</summary>
    protected virtual double Term(double v) => v * v;

    protected virtual double Length(double sum) => Math.Sqrt(sum);

    /// <summary>The sum that a channel's window may take over from what the image leaves unused, and from two windows.</summary>
    protected virtual double Freed(double unused, double windows) => unused + windows;

    protected virtual double[] Pattern(int side) => SquareShapes.Eta(side);

    protected virtual float[] Point(double[] d) => NormGeometry.AlongL2(X, d, Eps);

    public override float[] Begin(Func<double> next)
    {
        int side = Math.Max(1, Math.Min(Shape.H, Shape.W) / 5);
        int top = Math.Max(0, (Shape.H - 5 * side) / 2), left = Math.Max(0, (Shape.W - 5 * side) / 2);
        var d = new double[X.Length];
        for (int i = 0; i < Shape.H / side; i++)
            for (int j = 0; j < Shape.W / side; j++) Tile(d, top + i * side, left + j * side, side, next);
        return Point(d);
    }

    public override float[] Propose(float[] u, int iteration, Func<double> next)
    {
        int side = SquareShapes.L2Side(Share(iteration), Shape.H, Shape.W);
        var d = new double[X.Length];
        double total = 0;
        for (int i = 0; i < d.Length; i++)
        {
            d[i] = (double)u[i] - X[i];
            total += Term(d[i]);
        }
        var to = new Window(Place(Shape.H, side, next()), Place(Shape.W, side, next()), side);
        var from = new Window(Place(Shape.H, side, next()), Place(Shape.W, side, next()), side);
        double[] eta = Eta(side, next());
        double unused = Math.Max(Term(Eps) - total, 0) / Shape.C;
        for (int c = 0; c < Shape.C; c++) Redistribute(d, c, to, from, eta, Sign(next()), unused);
        return Point(d);
    }

    // Every tile takes its numbers; one that overhangs, where the reference fails, is skipped.
    private void Tile(double[] d, int top, int left, int side, Func<double> next)
    {
        double[] eta = Eta(side, next());
        bool fits = top + side <= Shape.H && left + side <= Shape.W;
        for (int c = 0; c < Shape.C; c++)
        {
            int sign = Sign(next());
            if (!fits) continue;
            for (int k = 0; k < eta.Length; k++) d[At(c, top + k / side, left + k % side)] += eta[k] * sign;
        }
    }

    /// <summary>
    /// Clears one window and fills the other with its length, the other's previous content, and this channel's share of the unused rest.
    /// </summary>
    private void Redistribute(double[] d, int c, Window to, Window from, double[] eta, int sign, double unused)
    {
        double freed = Freed(unused, Sum(d, c, to, from)), length = Length(Sum(d, c, to, to));
        var fill = new double[eta.Length];
        for (int k = 0; k < fill.Length; k++) fill[k] = eta[k] * sign + d[Cell(c, to, k)] / (Guard + length);
        double scale = Length(freed) / (Guard + Length(fill.Sum(Term)));
        for (int k = 0; k < fill.Length; k++) d[Cell(c, from, k)] = 0;
        for (int k = 0; k < fill.Length; k++) d[Cell(c, to, k)] = fill[k] * scale;
    }

    /// <summary>Σ d², or Σ |d|, over the union of two windows of a channel.</summary>
    private double Sum(double[] d, int c, Window a, Window b)
    {
        double sum = 0;
        for (int k = 0; k < a.Side * a.Side; k++)
        {
            double here = d[Cell(c, a, k)], there = d[Cell(c, b, k)];
            sum += Term(here);
            if (!a.Holds(b.Top + k / b.Side, b.Left + k % b.Side)) sum += Term(there);
        }
        return sum;
    }

    private int Cell(int c, Window w, int k) => At(c, w.Top + k / w.Side, w.Left + k % w.Side);

    private double[] Eta(int side, double flip)
    {
        if (_eta.Side != side)
        {
            double[] upright = Pattern(side);
            _eta = (side, upright, SquareShapes.Transposed(upright, side));
        }
        return flip > 0.5 ? _eta.Lying : _eta.Upright;
    }

    private readonly record struct Window(int Top, int Left, int Side)
    {
        public bool Holds(int row, int column) => row >= Top && row < Top + Side && column >= Left && column < Left + Side;
    }
}

/// <summary>As for L2 with sums of absolute values; a window takes over the unused rest of all
/// channels, and the point is projected.</summary>
internal sealed class SquareL1(Square attack, Subject subject) : SquareL2(attack, subject)
{
    private const double Inside = 1 - 1e-6;

    protected override double Term(double v) => Math.Abs(v);

    protected override double Length(double sum) => sum;

    protected override double Freed(double unused, double windows) => Shape.C * (unused + windows);

    protected override double[] Pattern(int side) => SquareShapes.Eta(side, power: 4, v => v.Sum(Math.Abs));

    protected override float[] Point(double[] d)
    {
        float[] u = [.. X.Select((x, i) => (float)(x + d[i]))];
        NormGeometry.L1.Project(X, u, Inside * Eps);
        return u;
    }
}
