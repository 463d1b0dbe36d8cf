namespace Rpat.Engine.Tensors;

/// <summary>
/// A float32 array on a device. Tensors made by a <see cref="Autograd.Tape"/> live in its planned arena; tensors made by
/// <see cref="Create"/> own persistent memory. Neither needs to be disposed: the device frees all of its memory.
/// </summary>
public class Tensor
{
    private DeviceBuffer? _data;
    private DeviceBuffer? _grad;

    internal Tensor(Device device, Shape shape, Layout layout, string name)
    {
        ArgumentNullException.ThrowIfNull(device);
        if (shape is not { N: > 0, C: > 0, H: > 0, W: > 0 }) throw new ShapeException("Tensor", $"{name} {shape} has a size below 1");
        ShapeException.Require((double)shape.H * shape.W * (layout == Layout.Blocked ? Math.Max(shape.C, 16) : shape.C) <= int.MaxValue,
            "Tensor", $"an image of {name} {shape} is over 2^31 - 1 values");
        (Device, Shape, Layout, Name, StorageLength) = (device, shape, layout, name, device.StorageLength(shape, layout));
    }

    /// <summary>The device that holds the values.</summary>
    public Device Device { get; }

    /// <summary>Logical size, <c>[N, C, H, W]</c>.</summary>
    public Shape Shape { get; }

    /// <summary>Physical arrangement of <see cref="Data"/>.</summary>
    public Layout Layout { get; }

    /// <summary>The tensor's name in error messages and profiles.</summary>
    public string Name { get; }

    /// <summary>Whether a tape that uses this tensor writes <see cref="Grad"/>.</summary>
    public bool NeedsGrad { get; internal set; }

    /// <summary>The values; bound when the tape that makes the tensor first runs.</summary>
    public DeviceBuffer Data
    {
        get => _data ?? throw new InvalidOperationException(View is null
            ? $"{Name} has no memory yet: {(this is Parameter ? "call Allocate of its ParameterStore" : "run its tape")} first."
            : $"{Name} is never stored, since its readers compute it: read the output of a later op instead.");
        internal set => _data = value;
    }

    /// <summary><see cref="Data"/>, while it holds the tensor's values.</summary>
    internal DeviceBuffer Present => Required(Data, DataLostAt);

    /// <summary>∂loss/∂values in the same layout as <see cref="Data"/>.</summary>
    public DeviceBuffer Grad
    {
        get => _grad ?? throw new InvalidOperationException($"{Name} has no gradient: create it with needsGrad, or run its tape first.");
        internal set => _grad = value;
    }

    /// <summary>Whether a backward pass has computed <see cref="Grad"/>.</summary>
    internal bool HasGrad { get; set; }

    /// <summary>Not null when the tensor is never stored: each reader computes it from <see cref="AffineView.Source"/>.</summary>
    public AffineView? View { get; internal init; }

    /// <summary>The tape whose plan places the tensor; null for persistent tensors.</summary>
    internal ArenaTenant? Maker { get; init; }

    /// <summary>The steps of the tape's plan in which other values and gradients take over the memory.</summary>
    internal int DataLostAt { get; set; } = int.MaxValue;

    /// <inheritdoc cref="DataLostAt"/>
    internal int GradLostAt { get; set; } = int.MaxValue;

    /// <summary>The tensor does not belong to a tape: its memory is persistent.</summary>
    internal bool IsPersistent { get; private protected init; }

    /// <summary>Floats of device memory that the tensor takes, including the layout's padding.</summary>
    internal long StorageLength { get; }

    /// <summary>Creates a persistent tensor of zeros in plain NCHW order; tapes write its gradient if it needs one.</summary>
    public static Tensor Create(Device device, Shape shape, bool needsGrad = false, string name = "input")
    {
        ShapeException.Require((double)shape.N * shape.C * shape.H * shape.W <= int.MaxValue, "Tensor", $"{shape} is over 2^31 - 1 values");
        var tensor = new Tensor(device, shape, Layout.Plain, name) { NeedsGrad = needsGrad, IsPersistent = true };
        tensor.Data = device.Allocate(tensor.StorageLength);
        if (needsGrad) tensor.Grad = device.Allocate(tensor.StorageLength);
        return tensor;
    }

    /// <summary>Creates a persistent tensor from values in NCHW order.</summary>
    public static Tensor From(Device device, Shape shape, ReadOnlySpan<float> values, bool needsGrad = false, string name = "input")
    {
        var tensor = Create(device, shape, needsGrad, name);
        tensor.Upload(values);
        return tensor;
    }

    /// <summary>Copies values in NCHW order to the device.</summary>
    /// <exception cref="ShapeException">The number of values is not <see cref="Shape.Count"/>.</exception>
    public virtual void Upload(ReadOnlySpan<float> values)
    {
        // No Require: it would format its message in every training step.
        if (values.Length != Shape.Count) throw new ShapeException("Upload", $"{this} takes {Shape.Count} values, got {values.Length}");
        if (Layout == Layout.Plain) Device.Upload(values, Present);
        else Device.UploadBlocked(values, Shape, Present);
    }

    /// <summary>Copies the values to <paramref name="destination"/> in NCHW order.</summary>
    /// <exception cref="InvalidOperationException">Its tape has not run, another tape has run since, or later ops of its own have reused
    /// its memory.</exception>
    /// <exception cref="ShapeException">The destination is shorter than <see cref="Shape.Count"/>.</exception>
    public void CopyTo(Span<float> destination)
    {
        if (destination.Length < Shape.Count)
            throw new ShapeException("CopyTo", $"{this} has {Shape.Count} values, and the destination takes {destination.Length}");
        Read(Present, destination);
    }

    /// <summary>The values in NCHW order.</summary>
    /// <inheritdoc cref="CopyTo"/>
    public float[] ToArray() => Read(Present);

    /// <summary>The gradient in NCHW order.</summary>
    /// <inheritdoc cref="CopyTo"/>
    /// <exception cref="InvalidOperationException">No backward pass has computed it.</exception>
    public float[] GradToArray()
    {
        float[] gradient = Read(Required(Grad, GradLostAt));
        return (this is Parameter p ? p.Store.GradientVersion > 0 : HasGrad || Maker is { HasGradients: true }) ? gradient
            : throw new InvalidOperationException($"{Name} has no gradient, since no backward pass computed it: Run a tape with a loss "
            + $"that depends on it, made with Gradients.{(this is Parameter ? "Parameters" : "Inputs")}.");
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Name} {Shape}";

    private bool IsHere => Device.IsCapturing || Maker == Device.Arena.Tenant; // tapes that are recorded together have begun already

    private DeviceBuffer Required(DeviceBuffer buffer, int lostAt) =>
        Maker is null || IsHere && Maker.Steps <= lostAt ? buffer : throw new InvalidOperationException($"{Name} is gone, since " + (IsHere
            ? "later ops of its tape use its memory: call tape.Retain when recording it, or list it in Node.Saved if a Backward reads it."
            : "another tape has run on the device: use it before, or copy it."));

    private float[] Read(DeviceBuffer buffer)
    {
        var values = new float[Shape.Count];
        Read(buffer, values);
        return values;
    }

    private void Read(DeviceBuffer buffer, Span<float> destination)
    {
        if (Layout == Layout.Plain) Device.Download(buffer, destination[..(int)Shape.Count]);
        else Device.DownloadBlocked(buffer, Shape, destination[..(int)Shape.Count]);
    }
}
