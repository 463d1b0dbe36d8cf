namespace Rpat.Engine.Ops;

/// <summary>γ, β and running statistics of a batch norm.</summary>
public sealed class BatchNorm2d
{
    /// <summary>Declares γ and β, and allocates the running statistics.</summary>
    public BatchNorm2d(ParameterStore parameters, string name, int channels, float epsilon = 1e-5f, float momentum = 0.1f)
    {
        (Name, Channels, Epsilon, Momentum) = (name, channels, epsilon, momentum);
        Weight = parameters.Declare($"{name}.weight", new Shape(1, channels), channels);
        Bias = parameters.Declare($"{name}.bias", new Shape(1, channels), channels);
        RunningMean = Tensor.Create(parameters.Device, new Shape(1, channels), name: $"{name}.running_mean");
        RunningVar = Tensor.Create(parameters.Device, new Shape(1, channels), name: $"{name}.running_var");
    }

    /// <summary>Name in checkpoints, without the last part.</summary>
    public string Name { get; }

    /// <summary>Name of <see cref="BatchesTracked"/> in checkpoints.</summary>
    public string CountName => $"{Name}.num_batches_tracked";

    /// <summary>Number of channels.</summary>
    public int Channels { get; }

    /// <summary>Added to the variance.</summary>
    public float Epsilon { get; }

    /// <summary>Weight of the batch in the running statistics.</summary>
    public float Momentum { get; }

    /// <summary>γ.</summary>
    public Parameter Weight { get; }

    /// <summary>β.</summary>
    public Parameter Bias { get; }

    /// <summary>Moving mean.</summary>
    public Tensor RunningMean { get; }

    /// <summary>Moving unbiased variance.</summary>
    public Tensor RunningVar { get; }

    /// <summary>Training-mode batches seen.</summary>
    public long BatchesTracked { get; set; }

    /// <summary>Sets γ and the variance to 1, β and the mean to 0.</summary>
    public void Initialize()
    {
        var ones = new float[Channels];
        Array.Fill(ones, 1f);
        Weight.Upload(ones);
        Bias.Upload(new float[Channels]);
        RunningMean.Upload(new float[Channels]);
        RunningVar.Upload(ones);
        BatchesTracked = 0;
    }
}
