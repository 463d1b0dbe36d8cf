using Rpat.Ilgpu.Emulator.Execution;

namespace ILGPU;

/// <summary>The place of the running thread's group in the grid.</summary>
public static class Grid
{
    /// <summary>The group's first index.</summary>
    public static int IdxX => Lane.Current.Group.Index.X;

    /// <summary>The group's second index.</summary>
    public static int IdxY => Lane.Current.Group.Index.Y;

    /// <summary>The group's third index.</summary>
    public static int IdxZ => Lane.Current.Group.Index.Z;

    /// <summary>The group's index.</summary>
    public static Index3D Index => Lane.Current.Group.Index;

    /// <summary>Groups along the first axis.</summary>
    public static int DimX => Lane.Current.Group.Launch.Config.GridDim.X;

    /// <summary>Groups along the second axis.</summary>
    public static int DimY => Lane.Current.Group.Launch.Config.GridDim.Y;

    /// <summary>Groups along the third axis.</summary>
    public static int DimZ => Lane.Current.Group.Launch.Config.GridDim.Z;

    /// <summary>Groups along each axis.</summary>
    public static Index3D Dimension => Lane.Current.Group.Launch.Config.GridDim;

    /// <summary>The group's number.</summary>
    public static int LinearIndex => IdxX + DimX * (IdxY + DimY * IdxZ);

    /// <summary>The thread's index in the whole launch.</summary>
    public static Index3D GlobalIndex => new(
        checked(IdxX * Group.DimX + Group.IdxX), checked(IdxY * Group.DimY + Group.IdxY), checked(IdxZ * Group.DimZ + Group.IdxZ));

    /// <summary>The thread's number in the whole launch.</summary>
    public static int GlobalLinearIndex => checked(LinearIndex * Group.Dimension.Size + Group.LinearIndex);
}
