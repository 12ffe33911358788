"""Laws from the Feynman Lectures on Physics, in the selection that AI Feynman made a benchmark.

Data are drawn from the formulas, with ranges of the usual kind (most quantities between 1 and 5 of their units), and
without noise. The numbers of a law that a search must fit are free; exponents are not.
"""

from .build import generated, parameters, variables

# number in the lectures: title, quantity [unit], form, free constants, ranges of the columns
LAWS = {
    # volume I
    "I.6.20a": ("Gaussian of unit width", "f", "k1*exp(k2*theta**2)", "k1=1/sqrt(2*pi) k2=-1/2", "theta 1..3"),
    "I.6.20": ("Gaussian", "f", "k1*exp(k2*(theta/sigma)**2)/sigma", "k1=1/sqrt(2*pi) k2=-1/2", "sigma theta 1..3"),
    "I.8.14": ("Distance of two points", "d [m]", "k*sqrt((x2 - x1)**2 + (y2 - y1)**2)", "k=1",
               "x1 x2 y1 y2 [m] 1..5"),
    "I.9.18": ("Gravitation in three dimensions", "F [N]",
               "k*G*m1*m2/((x2 - x1)**2 + (y2 - y1)**2 + (z2 - z1)**2)", "k=1",
               "m1 m2 [kg] 1..2, G [m^3 kg^-1 s^-2] 1..2, x1 y1 z1 [m] 3..4, x2 y2 z2 [m] 1..2"),
    "I.10.7": ("Relativistic mass", "m [kg]", "k*m0/sqrt(1 - v**2/c**2)", "k=1",
               "m0 [kg] 1..5, v [m/s] 1..2, c [m/s] 3..10"),
    "I.11.19": ("Scalar product", "A", "k1*x1*y1 + k2*x2*y2 + k3*x3*y3", "k1=1 k2=1 k3=1", "x1 x2 x3 y1 y2 y3 1..5"),
    "I.12.1": ("Friction", "F [N]", "k*mu*N", "k=1", "mu 1..5, N [N] 1..5"),
    "I.12.2": ("Coulomb's law", "F [N]", "k*q1*q2/(epsilon*r**2)", "k=1/(4*pi)",
               "q1 q2 [C] 1..5, epsilon [F/m] 1..5, r [m] 1..5"),
    "I.12.4": ("Field of a point charge", "E [V/m]", "k*q/(epsilon*r**2)", "k=1/(4*pi)",
               "q [C] 1..5, epsilon [F/m] 1..5, r [m] 1..5"),
    "I.12.5": ("Force on a charge", "F [N]", "k*q*E", "k=1", "q [C] 1..5, E [V/m] 1..5"),
    "I.12.11": ("Lorentz force", "F [N]", "q*(k1*E + k2*B*v*sin(theta))", "k1=1 k2=1",
                "q [C] 1..5, E [V/m] 1..5, B [T] 1..5, v [m/s] 1..5, theta [rad] 1..5"),
    "I.13.4": ("Kinetic energy", "K [J]", "k*m*(u**2 + v**2 + w**2)", "k=1/2", "m [kg] 1..5, u v w [m/s] 1..5"),
    "I.13.12": ("Potential energy of gravitation", "U [J]", "k*G*m1*m2*(1/r2 - 1/r1)", "k=1",
                "G [m^3 kg^-1 s^-2] 1..5, m1 m2 [kg] 1..5, r1 r2 [m] 1..5"),
    "I.14.3": ("Potential energy near the ground", "U [J]", "k*m*g*z", "k=1",
               "m [kg] 1..5, g [m/s^2] 1..5, z [m] 1..5"),
    "I.14.4": ("Energy of a spring", "U [J]", "k*stiffness*x**2", "k=1/2", "stiffness [N/m] 1..5, x [m] 1..5"),
    "I.15.3x": ("Lorentz transformation of place", "x1 [m]", "k*(x - u*t)/sqrt(1 - u**2/c**2)", "k=1",
                "x [m] 5..10, u [m/s] 1..2, c [m/s] 3..20, t [s] 1..2"),
    "I.15.3t": ("Lorentz transformation of time", "t1 [s]", "k*(t - u*x/c**2)/sqrt(1 - u**2/c**2)", "k=1",
                "x [m] 1..5, c [m/s] 3..10, u [m/s] 1..2, t [s] 1..5"),
    "I.15.10": ("Relativistic momentum", "p [kg m/s]", "k*m0*v/sqrt(1 - v**2/c**2)", "k=1",
                "m0 [kg] 1..5, v [m/s] 1..2, c [m/s] 3..10"),
    "I.16.6": ("Sum of velocities", "w [m/s]", "k*(u + v)/(1 + u*v/c**2)", "k=1", "c u v [m/s] 1..5"),
    "I.18.4": ("Centre of mass", "r [m]", "k*(m1*r1 + m2*r2)/(m1 + m2)", "k=1", "m1 m2 [kg] 1..5, r1 r2 [m] 1..5"),
    "I.18.12": ("Torque", "tau [N m]", "k*r*F*sin(theta)", "k=1", "r [m] 1..5, F [N] 1..5, theta [rad] 0..5"),
    "I.18.14": ("Angular momentum", "L [J s]", "k*m*r*v*sin(theta)", "k=1",
                "m [kg] 1..5, r [m] 1..5, v [m/s] 1..5, theta [rad] 1..5"),
    "I.24.6": ("Energy of a driven oscillator", "E [J]", "k*m*(omega**2 + omega0**2)*x**2", "k=1/4",
               "m [kg] 1..3, omega omega0 [rad/s] 1..3, x [m] 1..3"),
    "I.25.13": ("Voltage of a capacitor", "V [V]", "k*q/C", "k=1", "q [C] 1..5, C [F] 1..5"),
    "I.26.2": ("Snell's law", "theta1 [rad]", "k*asin(n*sin(theta2))", "k=1", "n 0..1, theta2 [rad] 1..5"),
    "I.27.6": ("Lens", "f [m]", "k/(1/d1 + n/d2)", "k=1", "d1 d2 [m] 1..5, n 1..5"),
    "I.29.4": ("Wave number", "kappa [rad/m]", "k*omega/c", "k=1", "omega [rad/s] 1..10, c [m/s] 1..10"),
    "I.29.16": ("Interference of two waves", "x [m]", "k1*sqrt(x1**2 + x2**2 + k2*x1*x2*cos(theta1 - theta2))",
                "k1=1 k2=2", "x1 x2 [m] 1..5, theta1 theta2 [rad] 1..5"),
    "I.30.3": ("Diffraction by n slits", "I [W/m^2]", "k1*I0*sin(k2*n*theta)**2/sin(k2*theta)**2", "k1=1 k2=1/2",
               "I0 [W/m^2] 1..5, theta [rad] 1..5, n 1..5"),
    "I.30.5": ("Angle of a diffraction maximum", "theta [rad]", "k*asin(wavelength/(n*d))", "k=1",
               "wavelength [m] 1..2, d [m] 2..5, n 1..5"),
    "I.32.5": ("Power radiated by a charge", "P [W]", "k*q**2*a**2/(epsilon*c**3)", "k=1/(6*pi)",
               "q [C] 1..5, a [m/s^2] 1..5, epsilon [F/m] 1..5, c [m/s] 1..5"),
    "I.34.8": ("Frequency in a magnetic field", "omega [rad/s]", "k*q*v*B/p", "k=1",
               "q [C] 1..5, v [m/s] 1..5, B [T] 1..5, p [kg m/s] 1..5"),
    "I.34.10": ("Doppler effect", "omega [rad/s]", "k*omega0/(1 - v/c)", "k=1",
                "omega0 [rad/s] 1..5, v [m/s] 1..2, c [m/s] 3..10"),
    "I.34.14": ("Relativistic Doppler effect", "omega [rad/s]", "k*(1 + v/c)/sqrt(1 - v**2/c**2)*omega0", "k=1",
                "omega0 [rad/s] 1..5, v [m/s] 1..2, c [m/s] 3..10"),
    "I.34.27": ("Energy of a photon", "E [J]", "k*h*omega", "k=1/(2*pi)", "h [J s] 1..5, omega [rad/s] 1..5"),
    "I.37.4": ("Interference of two intensities", "I [W/m^2]", "k1*I1 + k2*I2 + k3*sqrt(I1*I2)*cos(delta)",
               "k1=1 k2=1 k3=2", "I1 I2 [W/m^2] 1..5, delta [rad] 1..5"),
    "I.38.12": ("Bohr radius", "r [m]", "k*epsilon*h**2/(m*q**2)", "k=1/pi",
                "epsilon [F/m] 1..5, h [J s] 1..5, m [kg] 1..5, q [C] 1..5"),
    "I.39.10": ("Energy of an ideal gas", "E [J]", "k*p*V", "k=3/2", "p [Pa] 1..5, V [m^3] 1..5"),
    "I.39.22": ("Pressure of an ideal gas", "p [Pa]", "k*n*kB*T/V", "k=1",
                "n 1..5, T [K] 1..5, V [m^3] 1..5, kB [J/K] 1..5"),
    "I.40.1": ("Barometric formula", "n [m^-3]", "k*n0*exp(-m*g*x/(kB*T))", "k=1",
               "n0 [m^-3] 1..5, m [kg] 1..5, g [m/s^2] 1..5, x [m] 1..5, kB [J/K] 1..5, T [K] 1..5"),
    "I.41.16": ("Black-body radiation", "L [W s/m^2]", "k1*h*omega**3/(c**2*(exp(k2*h*omega/(kB*T)) - 1))",
                "k1=1/(2*pi**3) k2=1/(2*pi)",
                       "omega [rad/s] 1..5, T [K] 1..5, h [J s] 1..5, kB [J/K] 1..5, c [m/s] 1..5"),
    "I.43.31": ("Einstein's diffusion", "D [m^2/s]", "k*mobility*kB*T", "k=1",
                "mobility [s/kg] 1..5, kB [J/K] 1..5, T [K] 1..5"),
    "I.44.4": ("Work of an isothermal expansion", "E [J]", "k*n*kB*T*log(V2/V1)", "k=1",
               "n 1..5, kB [J/K] 1..5, T [K] 1..5, V1 V2 [m^3] 1..5"),
    "I.47.23": ("Speed of sound", "c [m/s]", "k*sqrt(gamma*p/rho)", "k=1",
                "gamma 1..5, p [Pa] 1..5, rho [kg/m^3] 1..5"),
    "I.48.2": ("Relativistic energy", "E [J]", "k*m*c**2/sqrt(1 - v**2/c**2)", "k=1",
               "m [kg] 1..5, v [m/s] 1..2, c [m/s] 3..10"),
    "I.50.26": ("Anharmonic oscillation", "x [m]", "k*x1*(cos(omega*t) + alpha*cos(omega*t)**2)", "k=1",
                "x1 [m] 1..3, omega [rad/s] 1..3, t [s] 1..3, alpha 1..3"),
    # volume II
    "II.2.42": ("Heat flow", "P [W]", "k*kappa*(T2 - T1)*A/d", "k=1",
                "kappa [W m^-1 K^-1] 1..5, T1 T2 [K] 1..5, A [m^2] 1..5, d [m] 1..5"),
    "II.4.23": ("Potential of a charge", "V [V]", "k*q/(epsilon*r)", "k=1/(4*pi)",
                "q [C] 1..5, epsilon [F/m] 1..5, r [m] 1..5"),
    "II.6.11": ("Potential of a dipole", "V [V]", "k*p*cos(theta)/(epsilon*r**2)", "k=1/(4*pi)",
                "p [C m] 1..3, theta [rad] 1..3, epsilon [F/m] 1..3, r [m] 1..3"),
    "II.8.31": ("Energy density of a field", "u [J/m^3]", "k*epsilon*E**2", "k=1/2",
                "epsilon [F/m] 1..5, E [V/m] 1..5"),
    "II.11.3": ("Driven charge", "x [m]", "k*q*E/(m*(omega0**2 - omega**2))", "k=1",
                "q [C] 1..3, E [V/m] 1..3, m [kg] 1..3, omega0 [rad/s] 3..5, omega [rad/s] 1..2"),
    "II.15.4": ("Magnetic moment in a field", "U [J]", "k*mu*B*cos(theta)", "k=-1",
                "mu [A m^2] 1..5, B [T] 1..5, theta [rad] 1..5"),
    "II.27.18": ("Energy density of light", "u [J/m^3]", "k*epsilon*E**2", "k=1", "epsilon [F/m] 1..5, E [V/m] 1..5"),
    "II.34.2": ("Moment of a circling charge", "mu [A m^2]", "k*q*v*r", "k=1/2",
                "q [C] 1..5, v [m/s] 1..5, r [m] 1..5"),
    "II.35.18": ("Two-level atoms in a field", "n [m^-3]", "k*n0/(exp(mu*B/(kB*T)) + exp(-mu*B/(kB*T)))", "k=1",
                 "n0 [m^-3] 1..3, kB [J/K] 1..3, T [K] 1..3, mu [A m^2] 1..3, B [T] 1..3"),
    "II.35.21": ("Magnetisation", "M [A/m]", "k*n*mu*tanh(mu*B/(kB*T))", "k=1",
                 "n [m^-3] 1..5, mu [A m^2] 1..5, B [T] 1..5, kB [J/K] 1..5, T [K] 1..5"),
    "II.38.3": ("Hooke's law", "F [N]", "k*Y*A*x/d", "k=1", "Y [Pa] 1..5, A [m^2] 1..5, x [m] 1..5, d [m] 1..5"),
    # volume III
    "III.4.33": ("Mean energy of an oscillator", "E [J]", "k1*h*omega/(exp(k2*h*omega/(kB*T)) - 1)",
                 "k1=1/(2*pi) k2=1/(2*pi)", "h [J s] 1..5, omega [rad/s] 1..5, kB [J/K] 1..5, T [K] 1..5"),
    "III.7.38": ("Precession", "omega [rad/s]", "k*mu*B/h", "k=4*pi", "mu [A m^2] 1..5, B [T] 1..5, h [J s] 1..5"),
    "III.8.54": ("Two-state system", "p", "k1*sin(k2*E*t/h)**2", "k1=1 k2=2*pi",
                 "E [J] 1..2, t [s] 1..2, h [J s] 1..4"),
    "III.10.19": ("Magnetic moment in three dimensions", "E [J]", "k*mu*sqrt(Bx**2 + By**2 + Bz**2)", "k=1",
                  "mu [A m^2] 1..5, Bx By Bz [T] 1..5"),
    "III.13.18": ("Velocity in a lattice", "v [m/s]", "k*E*d**2*kappa/h", "k=4*pi",
                  "E [J] 1..5, d [m] 1..5, kappa [rad/m] 1..5, h [J s] 1..5"),
    "III.14.14": ("Diode", "I [A]", "k*I0*(exp(q*V/(kB*T)) - 1)", "k=1",
                  "I0 [A] 1..5, q [C] 1..2, V [V] 1..2, kB [J/K] 1..2, T [K] 1..2"),
    "III.15.14": ("Effective mass", "m [kg]", "k*h**2/(E*d**2)", "k=1/(8*pi**2)",
                  "h [J s] 1..5, E [J] 1..5, d [m] 1..5"),
    "III.17.37": ("Angular distribution", "f", "beta*(k1 + k2*alpha*cos(theta))", "k1=1 k2=1",
                  "beta 1..5, alpha 1..5, theta [rad] 1..5"),
}  # fmt: skip

ROWS = 200
SOURCE = (
    "R. Feynman, R. Leighton, M. Sands, The Feynman Lectures on Physics, equation {}; "
    "in the selection of S. Udrescu and M. Tegmark 2020, AI Feynman"
)


def _wider(low, high):
    """Extrapolate to half the smallest and twice the largest value: most quantities here must stay positive."""
    return low / 2, 2 * high


def build(name):
    """Return the Problem of an equation number."""
    title, quantity, form, constants, columns = LAWS[name]
    target, _, unit = quantity.partition(" ")
    columns = variables(columns, _wider)
    return generated(
        name, title, "feynman", columns, form, parameters(constants), ROWS, target, unit.strip("[]"),
        source=SOURCE.format(name.rstrip("axt")),
    )  # fmt: skip
