namespace Rpat.Nn.Ops;

/// <summary>Recording of functions of one number, on stored tensors and on views, in x's size and layout.</summary>
public static class FunctionOps
{
    /// <summary>x·σ(x).</summary>
    public static Tensor Silu(this Tape tape, Tensor x) => tape.Elementwise(new Silu(), x);

    /// <summary>x·Φ(x), the exact form.</summary>
    public static Tensor Gelu(this Tape tape, Tensor x) => tape.Elementwise(new Gelu(), x);

    /// <summary>1/(1 + e⁻ˣ).</summary>
    public static Tensor Sigmoid(this Tape tape, Tensor x) => tape.Elementwise(new Sigmoid(), x);

    /// <summary>tanh x.</summary>
    public static Tensor Tanh(this Tape tape, Tensor x) => tape.Elementwise(new Tanh(), x);

    /// <summary>ln(1 + exp(β·x))/β.</summary>
    /// <exception cref="ArgumentOutOfRangeException">β is not above 0.</exception>
    public static Tensor Softplus(this Tape tape, Tensor x, double beta = 1) => tape.Elementwise(new Softplus(Bound.AboveZero(beta)), x);

    /// <summary>x where it is positive, else slope·x.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The slope is no finite number.</exception>
    public static Tensor LeakyRelu(this Tape tape, Tensor x, double slope = 0.01) =>
        tape.Elementwise(new Clamp(0, double.PositiveInfinity, Bound.Finite(slope), slope, 1), x);

    /// <summary>x from 0 to 6.</summary>
    public static Tensor Relu6(this Tape tape, Tensor x) => tape.Elementwise(new Clamp(0, 6, 0, 0, 0), x);

    /// <summary>x from low to high; at the bounds the derivative is 1, as in PyTorch.</summary>
    /// <exception cref="ArgumentException"><paramref name="low"/> is above <paramref name="high"/>.</exception>
    public static Tensor Clamp(this Tape tape, Tensor x, double low = double.NegativeInfinity, double high = double.PositiveInfinity) =>
        low <= high ? tape.Elementwise(new Clamp(low, high, 0, 1, 1), x)
            : throw new ArgumentException($"Clamp: the lower bound {low} is above the upper bound {high}.");

    /// <summary>|x|, with derivative 0 at 0.</summary>
    public static Tensor Abs(this Tape tape, Tensor x) => tape.Elementwise(new Clamp(0, double.PositiveInfinity, -1, 0, 1), x);

    /// <summary>eˣ.</summary>
    public static Tensor Exp(this Tape tape, Tensor x) => tape.Elementwise(new Exp(), x);

    /// <summary>ln x.</summary>
    public static Tensor Log(this Tape tape, Tensor x) => tape.Elementwise(new Log(), x);

    /// <summary>√x.</summary>
    public static Tensor Sqrt(this Tape tape, Tensor x) => tape.Elementwise(new Power(0.5), x);

    /// <summary>x to a constant power.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The power is no finite number.</exception>
    public static Tensor Pow(this Tape tape, Tensor x, double power) => tape.Elementwise(new Power(Bound.Finite(power)), x);

    /// <summary>x + number.</summary>
    public static Tensor Add(this Tape tape, Tensor x, double number) => tape.Elementwise(new Line(1, number), x);

    /// <summary>number·x.</summary>
    public static Tensor Multiply(this Tape tape, Tensor x, double number) => tape.Elementwise(new Line(number, 0), x);
}
