namespace Rpat.Nn.Optim;

/// <summary>
/// Scales the gradient of all parameters together down to a maximum norm, as <c>torch.nn.utils.clip_grad_norm_</c> does: g ← g·min(1,
/// most/(‖g‖₂ + 1e-6)). The sum of squares is computed in double on the host, in a fixed order.
/// </summary>
internal sealed class GradientClip(ParameterStore parameters, float most)
{
    private const double Epsilon = 1e-6;

    private readonly float[] _values = new float[parameters.Values.Length];

    /// <summary>Clips; a gradient that is not finite is left unchanged, so that the guard sees it.</summary>
    public void Apply()
    {
        parameters.Device.Download(parameters.Gradients, _values);
        double squares = 0;
        foreach (float value in _values) squares += (double)value * value;
        double factor = most / (Math.Sqrt(squares) + Epsilon);
        if (factor is > 0 and < 1)
            parameters.Device.Kernels.Scale(parameters.Count, parameters.Gradients, (float)factor, accumulate: false, parameters.Gradients);
    }
}
