namespace Rpat.Engine.Devices;

/// <summary>Four numbers, one per axis of a tensor.</summary>
public readonly record struct Axes(int N, int C, int H, int W)
{
    /// <summary>Each axis by its number.</summary>
    public static Axes Identity { get; } = new(0, 1, 2, 3);

    /// <summary>The number of an axis.</summary>
    public int this[int axis] => axis switch { 0 => N, 1 => C, 2 => H, _ => W };

    /// <summary>The same with another number for one axis.</summary>
    public Axes With(int axis, int value) => axis switch
    {
        0 => this with { N = value },
        1 => this with { C = value },
        2 => this with { H = value },
        _ => this with { W = value },
    };

    /// <summary>The sizes of a tensor.</summary>
    public static Axes Of(Shape s) => new(s.N, s.C, s.H, s.W);
}

/// <summary>
/// A copy with a shift and an exchange of axes: the index along axis k of From is <see cref="Offset"/>[k] plus the index along axis
/// <see cref="Order"/>[k] of To. What lies outside of From is zero.
/// </summary>
public readonly record struct CopyShape(Shape From, Layout FromLayout, Shape To, Layout ToLayout)
{
    /// <summary>For each axis of From the axis of To that it follows.</summary>
    public Axes Order { get; init; } = Axes.Identity;

    /// <summary>Added to the index of To.</summary>
    public Axes Offset { get; init; }

    /// <summary>The first index of To that is written, per axis.</summary>
    public Axes Begin { get; init; }

    /// <summary>The index after the last that is written, per axis.</summary>
    public Axes End { get; init; } = Axes.Of(To);

    /// <summary>The copy back, which writes all of From: the gradient.</summary>
    public CopyShape Inverse
    {
        get
        {
            CopyShape s = this;
            int Back(int axis) => Enumerable.Range(0, 4).First(k => s.Order[k] == axis);
            return new CopyShape(To, ToLayout, From, FromLayout)
            {
                Order = new(Back(0), Back(1), Back(2), Back(3)),
                Offset = new(-s.Offset[Back(0)], -s.Offset[Back(1)], -s.Offset[Back(2)], -s.Offset[Back(3)]),
            };
        }
    }
}

/// <summary>Kernels that move values between tensors of any layout.</summary>
public interface ICopyKernels
{
    /// <summary>y (+)= x, shifted, permuted and filled with zeros.</summary>
    void Copy(in CopyShape s, DeviceBuffer x, bool accumulate, DeviceBuffer y);
}
