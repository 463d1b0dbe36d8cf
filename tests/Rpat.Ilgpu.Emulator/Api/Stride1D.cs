namespace ILGPU;

/// <summary>How a one-dimensional view steps through memory.</summary>
public interface IStride1D
{
    /// <summary>Elements between neighbours.</summary>
    int XStride { get; }
}

/// <summary>The strides of one-dimensional views.</summary>
public static partial class Stride1D
{
    /// <summary>Neighbours lie side by side.</summary>
    public readonly partial struct Dense : IStride1D
    {
        /// <summary>Always 1.</summary>
        public readonly int XStride => 1;
    }
}
