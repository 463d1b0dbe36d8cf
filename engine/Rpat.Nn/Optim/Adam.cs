namespace Rpat.Nn.Optim;

/// <summary>
/// Adam (Kingma and Ba, 2015) and, with decoupled weight decay, AdamW (Loshchilov and Hutter, 2019), as PyTorch defines them: both moments
/// are corrected for their start at zero, and ε is added to the root of the second. One count of steps corrects all parameters: one that
/// is frozen in the middle of training forgets its moments, and the steps after it is freed are too long at first, unlike PyTorch's.
/// </summary>
/// <param name="beta1">Decay of the mean of the gradient, from 0 to below 1.</param>
/// <param name="beta2">Decay of the mean of its square, from 0 to below 1.</param>
/// <param name="epsilon">Added to the divisor; from 0.</param>
/// <param name="weightDecay">L2 penalty on every parameter, batch norms and biases included, unless a group says otherwise.</param>
/// <param name="decoupled">Whether the weight decay acts on the weights themselves (AdamW) and not through the gradient.</param>
/// <inheritdoc/>
public sealed class Adam(ParameterStore parameters, float beta1 = 0.9f, float beta2 = 0.999f, float epsilon = 1e-8f, float weightDecay = 0,
    bool decoupled = false)
    : Optimizer(parameters, weightDecay)
{
    private const string MeanPrefix = "adam.mean.", SquarePrefix = "adam.square.", CountName = "counter.adam";

    private readonly DeviceBuffer _mean = Bound.Given(parameters).Device.Allocate(parameters.Values.Length);
    private readonly DeviceBuffer _square = parameters.Device.Allocate(parameters.Values.Length);
    private readonly float _beta1 = Bound.BelowOne(beta1), _beta2 = Bound.BelowOne(beta2), _epsilon = Bound.FromZero(epsilon);
    private long _steps;

    /// <inheritdoc/>
    protected override IReadOnlyList<DeviceBuffer> MomentBuffers => [_mean, _square];

    /// <inheritdoc/>
    protected override void Move(float rate, in StepFactors factors)
    {
        _steps++;
        var step = new AdamStep(rate, _beta1, _beta2, _epsilon, WeightDecay, decoupled, Correction(_beta1), Correction(_beta2));
        Parameters.Device.Kernels.Adam(Parameters.Count, Parameters.Values, Parameters.Gradients, _mean, _square, step, factors);
    }

    /// <inheritdoc/>
    protected override IEnumerable<NamedArray> Moments() =>
    [
        .. Parameters.Slice(_mean, MeanPrefix), .. Parameters.Slice(_square, SquarePrefix), NamedArray.FromInt64(CountName, [_steps], 1),
    ];

    /// <inheritdoc/>
    protected override void LoadMoments(IReadOnlyDictionary<string, NamedArray> state)
    {
        Parameters.Fill(_mean, MeanPrefix, state);
        Parameters.Fill(_square, SquarePrefix, state);
        _steps = state[CountName].ToInt64()[0];
    }

    private float Correction(float beta) => (float)(1 - Math.Pow(beta, _steps));
}
