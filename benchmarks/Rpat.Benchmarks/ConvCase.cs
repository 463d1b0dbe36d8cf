namespace Rpat.Benchmarks;

/// <summary>A layer of a real network, as <c>channels-filters@side kernel/stride</c>.</summary>
public sealed record ConvLayer(int C, int K, int Side, int R, int Stride)
{
    /// <summary>The layer's sizes for a batch; images are plain, activations blocked.</summary>
    public ConvShape Shape(int batch) => new(new Shape(batch, C, Side, Side), C < 16 ? Layout.Plain : Layout.Blocked, K, R, Stride, R / 2);

    /// <inheritdoc/>
    public override string ToString() => $"{C}-{K}@{Side} {R}x{R}/{Stride}";
}

/// <summary>One layer's operands and its three passes, on its own device.</summary>
internal sealed class ConvCase : Module, IDisposable
{
    private readonly Parameter _weight;
    private readonly DeviceBuffer _x;
    private readonly DeviceBuffer _y;
    private readonly DeviceBuffer _forwardFilters;
    private readonly DeviceBuffer _gradientFilters;

    public ConvCase(Device device, ConvLayer l, int batch) : base(device)
    {
        Shape = l.Shape(batch);
        _weight = DeclareConv("w", l.K, l.C, l.R);
        Build(seed: 1);
        _x = Filled(device.StorageLength(Shape.Input, Shape.InputLayout), sample: 0);
        _y = Filled(device.StorageLength(Shape.Output, Layout.Blocked), sample: 1);
        (_forwardFilters, _gradientFilters) = (Filters(inputGradient: false), Filters(inputGradient: true));
    }

    public ConvShape Shape { get; }

    public void Forward() => Device.Kernels.Conv2dForward(Shape, _x, _forwardFilters, null, _y);

    public void InputGradient() => Device.Kernels.Conv2dInputGradient(Shape, _y, _gradientFilters, default, false, _x);

    public void WeightGradient() => Device.Kernels.Conv2dWeightGradient(Shape, _x, _y, false, _weight.Grad);

    public void Dispose() => Device.Dispose();

    private DeviceBuffer Filters(bool inputGradient)
    {
        var filters = Device.Allocate(Device.Kernels.Conv2dFilterLength(Shape, inputGradient));
        Device.Kernels.Conv2dArrangeFilters(Shape, inputGradient, _weight.Data, filters);
        return filters;
    }

    private DeviceBuffer Filled(long length, long sample)
    {
        var values = new float[length];
        new RandomKey(1, Purpose.Synthetic, 0, sample, 0, 0).Stream().FillUniform(values);
        var buffer = Device.Allocate(length);
        Device.Upload(values, buffer);
        return buffer;
    }
}
